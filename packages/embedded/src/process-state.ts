// Tells whether a process written down in a file is still that process. Signal 0 alone is not enough: where PID 1 does not
// reap (many containers) a killed process stays as a zombie and still answers, and after a restart of the container its
// number belongs to someone else.

import { readFile, readlink, realpath } from 'node:fs/promises';

/** Whether the process exists and has not ended: neither a zombie nor an unused number. */
export async function isProcessAlive(pid: number): Promise<boolean> {
  if (!answersSignal(pid)) return false;
  if (process.platform !== 'linux') return true;
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  if (status === undefined) return false;
  // "pid (name) state …", where the name may hold spaces and brackets.
  const state = status.slice(status.lastIndexOf(')') + 2, status.lastIndexOf(')') + 3);
  return state !== 'Z' && state !== 'X';
}

/** Whether the process is the Postgres server of this data directory, which it made its working directory. */
export async function isServerOf(pid: number, dataDirectory: string): Promise<boolean> {
  if (!(await isProcessAlive(pid))) return false;
  if (process.platform !== 'linux') return true;
  const workingDirectory = await readlink(`/proc/${pid}/cwd`).catch(() => undefined);
  // Unreadable for another user's process: then its being alive has to do.
  return workingDirectory === undefined || workingDirectory === (await realpath(dataDirectory));
}

function answersSignal(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // Another user's process may not be signalled, but it is there.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
