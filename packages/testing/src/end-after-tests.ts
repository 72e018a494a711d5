// Ends what a test started and left running, when its test file is done. Jest loads a copy of this module per test file,
// so the list below belongs to one file.

import { once } from 'node:events';
import type { ChildProcess } from 'node:child_process';

declare const afterAll: ((act: () => Promise<void>) => void) | undefined;

const started: ChildProcess[] = [];

/** Kills the process after the tests of this file, if it still runs then. */
export function endAfterTests(child: ChildProcess): void {
  started.push(child);
}

async function endAll(): Promise<void> {
  const running = started.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
  await Promise.all(
    running.map(async (child) => {
      const ended = once(child, 'exit');
      child.kill('SIGKILL'); // also ends a process that is stopped by SIGSTOP
      await ended;
    }),
  );
}

// Child programs import this package too, where there is no Jest.
if (typeof afterAll !== 'undefined') afterAll(endAll);
