// Which statements the engines of this process send: for tests that count round trips, or wait for one.

import { waitFor } from '@perdure/testing';
import { processState } from '../../src/values/process-state.js';

/** Statements since the call that made this, without `perdure_`. */
export interface StatementWatch {
  readonly names: readonly string[];
  /** Resolves when so many statements of a name have been answered. */
  readonly answered: (name: string, count?: number) => Promise<void>;
}

/** Calls `act` with a watch over all statements that are sent until it ends. One at a time. */
export async function watchingStatements<T>(act: (watch: StatementWatch) => Promise<T>): Promise<T> {
  const state = processState();
  const names: string[] = [];
  const answers: string[] = [];
  state.crashPoint = (point) => {
    if (point.startsWith('before:perdure_')) names.push(point.slice('before:perdure_'.length));
    if (point.startsWith('after:perdure_')) answers.push(point.slice('after:perdure_'.length));
  };
  const answered = async (name: string, count = 1): Promise<void> => {
    const found = (): number => answers.filter((answer) => answer === name).length;
    await waitFor(found, { what: `${count} answer(s) to ${name}`, until: (answers) => answers >= count });
  };
  try {
    return await act({ names, answered });
  } finally {
    delete state.crashPoint;
  }
}
