// Runs one of Postgres's programs to its end. It throws only if the program could not be started at all.

import { execFile } from 'node:child_process';
import type { ServerUser } from './server-user.js';

/** How a program ended. `exitCode` is undefined if it could not be started or was killed. */
export interface ProgramResult {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `file` as `user` in a folder that every user may enter, and resolves when it has ended. */
export function runProgram(
  file: string,
  programArguments: readonly string[],
  user: ServerUser,
): Promise<ProgramResult> {
  return new Promise((resolve) => {
    const options = { ...user, cwd: '/', env: serverEnvironment(), windowsHide: true };
    execFile(file, programArguments, options, (error, stdout, stderr) => {
      if (error === null) return resolve({ exitCode: 0, stdout, stderr });
      const exitCode = typeof error.code === 'number' ? error.code : undefined;
      resolve({ exitCode, stdout, stderr: stderr.trim() === '' ? error.message : stderr });
    });
  });
}

/**
 * The caller's environment without what would redirect Postgres (PGDATA, PGPORT, …).
 * LC_ALL=C keeps messages in English, which this package reads, and works where no locale is installed; on macOS an unset
 * locale makes the server exit with "postmaster became multithreaded during startup".
 */
export function serverEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('PG'));
  return { ...Object.fromEntries(kept), LC_ALL: 'C' };
}
