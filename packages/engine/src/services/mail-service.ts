// Collects messages for the runs that wait for them: after a hint, and for all of them at the poll interval. The same
// interval makes everybody look again who waits for what a run publishes.

import type { Executor } from '../run/executor.js';
import { Service } from './service.js';

/** The collector of one executor. Without receivers and readers it asks nothing. */
export function mailService(executor: Executor, pollMs: () => number): Service {
  let nextPoll = 0;
  const round = async (): Promise<number> => {
    if (performance.now() >= nextPoll) {
      nextPoll = performance.now() + pollMs();
      executor.interests.touchAll();
    }
    await executor.mailbox.collect();
    return Math.max(1, nextPoll - performance.now());
  };
  return new Service({ name: 'mail', round, logger: executor.logger, retryMs: 250 });
}
