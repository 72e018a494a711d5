// The crash of a server. The signal takes effect a moment after it was sent, so that a server may answer until then.

import { isProcessAlive } from '../src/process-state.js';
import { eventually } from './eventually.js';

/** Kills the server without any chance to clean up, and resolves when it is gone. */
export async function killServer(pid: number): Promise<void> {
  process.kill(pid, 'SIGKILL');
  await eventually(`the server ${pid} is gone`, async () => !(await isProcessAlive(pid)));
}
