// Waiting for an event of a run, for whoever waits: asks at once, and again whenever the run may have published something.

import { selectEventStates, type EventQuery, type EventState } from '../store/events.js';
import type { Queryable } from '../store/sql.js';
import type { Logger } from '../values/logger.js';
import type { Interests } from './interests.js';

/** What a watch works with. */
export interface EventWatchParts {
  readonly db: Queryable;
  readonly interests: Interests;
  readonly logger: Logger;
}

/** Calls back once: the event is set, or its run is over or unknown. Returns how to stop. */
export function watchEvent(
  { db, interests, logger }: EventWatchParts,
  query: EventQuery,
  callback: (state: EventState) => void,
): () => void {
  let isOver = false;
  let isAsking = false;
  let isHinted = false;
  const stop = interests.on(query.runId, () => void ask());
  const end = (): void => {
    isOver = true;
    stop();
  };
  const ask = async (): Promise<void> => {
    isHinted = true;
    if (isAsking) return;
    isAsking = true;
    try {
      while (isHinted && !isOver) {
        isHinted = false;
        const [state] = await selectEventStates(db, [query]);
        if (isOver || state === undefined || (state.value === undefined && state.exists && !state.isFinal)) continue;
        end();
        callback(state);
      }
    } catch (err) {
      logger.debug(
        { err, runId: query.runId, event: query.key },
        'asking for an event failed; the next poll repeats it',
      );
    } finally {
      isAsking = false;
    }
  };
  void ask();
  return end;
}
