// Runs the tools of an installed folder, Jest among them.

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Resolves to what a tool has printed; rejects with it, when the tool has failed. */
export async function tool(folder: string, name: string, options: readonly string[], env = {}): Promise<string> {
  try {
    const { stdout, stderr } = await run(join(folder, 'node_modules', '.bin', name), options, {
      cwd: folder,
      env: { ...process.env, ...env },
      maxBuffer: 2 ** 26,
    });
    return stdout + stderr;
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${name} ${options.join(' ')} failed:\n${stdout}${stderr}`, { cause: error });
  }
}

/** Resolves to how many tests have passed; rejects unless all have, and for none at all. */
export async function runJest(folder: string, options: readonly string[], env = {}): Promise<number> {
  const modules = { NODE_OPTIONS: '--experimental-vm-modules --disable-warning=ExperimentalWarning' };
  const printed = await tool(folder, 'jest', options, { ...modules, ...env });
  const [, passed = '0', of = ''] = /^Tests: .*?(\d+) passed, (\d+) total$/m.exec(printed) ?? [];
  if (passed === '0' || passed !== of) throw new Error(`of ${of} tests, ${passed} passed:\n${printed}`);
  return Number(passed);
}
