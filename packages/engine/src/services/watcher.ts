// Waits, for the whole process, for the outcomes of runs that end elsewhere: one statement asks for all of them, after a
// notification and at the poll interval. Asking also marks the runs as watched, so that their end is notified.

import type { Executor } from '../run/executor.js';
import type { Database } from '../store/database.js';
import { watchRuns } from '../store/waiters.js';
import type { RunId } from '../values/ids.js';
import { isFinal } from '../values/status.js';
import { Service } from './service.js';

/** What the watcher works with. */
export interface WatcherOptions {
  readonly database: Database;
  readonly executor: Executor;
  readonly pollMs: () => number;
}

const portion = 1_000;

/** The watcher of one engine. Without waiters it asks nothing. */
export function watcher({ database, executor, pollMs }: WatcherOptions): Service {
  const { outcomes } = executor;
  const ask = async (ids: readonly RunId[]): Promise<void> => {
    const { count } = outcomes;
    const found = await watchRuns(database, ids);
    for (const { id, status, output, error } of found)
      if (isFinal(status)) outcomes.tell(id, { status, output, error }, count);
    const existing = new Set(found.map(({ id }) => id));
    for (const id of ids) if (!existing.has(id)) outcomes.tell(id, undefined, count);
  };
  const round = async (): Promise<number> => {
    const { watched } = outcomes;
    for (let at = 0; at < watched.length; at += portion) await ask(watched.slice(at, at + portion));
    return watched.length === 0 ? 60_000 : pollMs();
  };
  return new Service({ name: 'watcher', round, logger: executor.logger, retryMs: 250 });
}
