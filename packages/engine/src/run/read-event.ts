// Reading what another run publishes, from workflow code: the value that is read is recorded, so a replay sees the same.

import { PerdureError } from '../values/errors.js';
import { encodeError } from '../values/serialize.js';
import type { EventQuery, EventState } from '../store/events.js';
import type { Result } from './call.js';
import type { Run } from './run.js';

/** Waits for an event of any run; undefined when the time is up, or when the run ends without it. */
export async function getEventIn(run: Run, query: EventQuery, timeoutMs: number | undefined): Promise<unknown> {
  const deadlineMs = timeoutMs === undefined ? Infinity : run.delivery.nowMs + timeoutMs;
  return run.delivery.call({
    kind: 'getEvent',
    name: query.key,
    begin: (call) => {
      call.waitsUntilMs = deadlineMs;
      call.event = query;
      const complete = (result: Result): void => {
        stop();
        cancelTimer();
        forget();
        call.waitsUntilMs = undefined;
        run.delivery.complete(call, result);
      };
      const stop = run.host.exchange.onEvent(query, (state) => complete(toResult(state)));
      const cancelTimer =
        deadlineMs === Infinity ? (): void => undefined : run.host.clock.at(deadlineMs, () => complete({}));
      const forget = run.onAbort(() => {
        stop();
        cancelTimer();
      });
      run.wake();
    },
  });
}

function toResult({ exists, value, runId }: EventState): Result {
  if (!exists) return { error: encodeError(new PerdureError('RUN_NOT_FOUND', { id: runId })) };
  return value === undefined ? {} : { output: value };
}
