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
// A paused run never ends by itself: whoever looks why nothing happens finds this.
const pausedMessage = 'the result of a paused run is waited for: resume the run or cancel it';

/** The watcher of one engine. Without waiters it asks nothing. */
export function watcher({ database, executor, pollMs }: WatcherOptions): Service {
  const { outcomes, logger } = executor;
  let paused = new Set<RunId>();
  const ask = async (ids: readonly RunId[], stillPaused: Set<RunId>): Promise<void> => {
    const { count } = outcomes;
    const found = await watchRuns(database, ids);
    for (const { id, status } of found) if (status === 'paused') stillPaused.add(id);
    for (const { id, status, output, error } of found)
      if (isFinal(status)) outcomes.tell(id, { status, output, error }, count);
    const existing = new Set(found.map(({ id }) => id));
    for (const id of ids) if (!existing.has(id)) outcomes.tell(id, undefined, count);
  };
  const round = async (): Promise<number> => {
    const { watched } = outcomes;
    const nowPaused = new Set<RunId>();
    for (let at = 0; at < watched.length; at += portion) await ask(watched.slice(at, at + portion), nowPaused);
    for (const runId of nowPaused) if (!paused.has(runId)) logger.warn({ runId }, pausedMessage);
    paused = nowPaused;
    return watched.length === 0 ? 60_000 : pollMs();
  };
  return new Service({ name: 'watcher', round, logger, retryMs: 250 });
}
