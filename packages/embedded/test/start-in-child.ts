// Runs child-program.ts in a process of its own, for what one process cannot show: races, other users, dead parents.

import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { RunningPostgres, StartPostgresOptions } from '../src/index.js';

/** What a child reports: the server it got, or the code of the error it met. */
export type ChildReport = Omit<RunningPostgres, 'stop'> & { readonly code?: string };

const loader = new URL('../../../scripts/typescript-loader.mjs', import.meta.url).href;
const program = fileURLToPath(new URL('./child-program.ts', import.meta.url));

/** Calls `startPostgres` in a new process, as the user `uid` if it is given; that process kills itself afterwards. */
export async function startInChild(options: StartPostgresOptions, uid?: number): Promise<ChildReport> {
  const child = spawn(process.execPath, ['--import', loader, program, JSON.stringify(options)], {
    ...(uid === undefined ? {} : { uid, gid: uid }),
    env: { ...process.env, NODE_OPTIONS: '' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const output = await text(child.stdout);
  return JSON.parse(output) as ChildReport;
}
