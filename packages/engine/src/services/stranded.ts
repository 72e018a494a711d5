// Looks for due runs that no live executor can claim, because none hosts their workflow or its version, and says so.

import { isDeepStrictEqual } from 'node:util';
import type { Database } from '../store/database.js';
import { findStranded, type StrandedRuns } from '../store/stranded.js';
import type { Logger } from '../values/logger.js';
import { Service } from './service.js';

const intervalMs = 30_000;

/** What was found last. */
export interface StrandedWatch {
  readonly service: Service;
  readonly last: () => readonly StrandedRuns[];
}

/** The look-out of one engine. Logs when the picture changes. */
export function strandedWatch(database: Database, logger: Logger): StrandedWatch {
  let last: readonly StrandedRuns[] = [];
  const round = async (): Promise<number> => {
    const found = await findStranded(database);
    for (const stranded of found) {
      if (last.some((before) => isDeepStrictEqual(before, stranded))) continue;
      logger.warn(
        { ...stranded },
        'runs are stranded: no live executor hosts their workflow in this version and serves their queue, or the queue was deleted',
      );
    }
    last = found;
    return intervalMs;
  };
  return { service: new Service({ name: 'stranded', round, logger, retryMs: intervalMs }), last: () => last };
}
