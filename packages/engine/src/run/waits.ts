// Calls that only wait: for a time, or for the outcome of another run. They cost no write until they end, because their
// deadlines are derived from the journal: the time of the last delivered result plus the duration, the same on replay.

import { PerdureError } from '../values/errors.js';
import { decodeError, encodeError } from '../values/serialize.js';
import { childRunId, type RunId } from '../values/ids.js';
import type { Call, Result } from './call.js';
import type { Run } from './run.js';
import type { ChildStart, NewRun, Outcome, Ticket } from './run-host.js';

/** Sleeps until `wakeAtMs` of the database's time. */
export async function sleepIn(run: Run, wakeAtMs: number): Promise<void> {
  await run.delivery.call({
    kind: 'sleep',
    name: 'sleep',
    begin: (call) => {
      call.waitsUntilMs = wakeAtMs;
      const cancel = run.host.clock.at(wakeAtMs, () => {
        forget();
        run.delivery.complete(call, {});
      });
      const forget = run.onAbort(cancel);
      run.wake(); // to consider parking
    },
  });
}

/**
 * Runs a workflow as a child and waits for its result. `child` may still be on its way, from a schema that takes its time:
 * the call has its place among the calls of the run from now on, and what goes wrong becomes its result.
 */
export function callChild(run: Run, name: string, child: Promise<NewRun>): Promise<unknown> {
  child.catch(() => undefined); // nobody asks when the call is recorded
  return run.delivery.call({
    kind: 'child',
    name,
    begin: (call) => {
      const id = childRunId(run.id, name, call.occurrence);
      call.childId = id;
      const start = child.then((newRun) => ({ ...newRun, id, hasDerivedId: true }));
      startThen(run, call, start, (ticket) => awaitOutcome(run, call, ticket));
    },
  });
}

/** Starts a run from within a run, without waiting for it; resolves to its id once it is durable. */
export async function startChildIn(run: Run, name: string, child: Promise<NewRun>): Promise<RunId> {
  child.catch(() => undefined);
  const id = await run.delivery.call({
    kind: 'start',
    name,
    begin: (call) => {
      const derivedId = childRunId(run.id, name, call.occurrence);
      const start = child.then((newRun) => {
        const { id = derivedId } = newRun;
        return { ...newRun, id, hasDerivedId: newRun.id === undefined };
      });
      startThen(run, call, start, (ticket) => {
        call.childId = ticket.id;
        run.delivery.complete(call, { output: JSON.stringify(ticket.id) });
      });
    },
  });
  return id as RunId;
}

/** Waits in a run for the outcome of any other run. */
export function awaitResultIn(run: Run, id: RunId): Promise<unknown> {
  return run.delivery.call({
    kind: 'result',
    name: `result of ${id}`.slice(0, 255),
    begin: (call) => {
      call.childId = id;
      awaitOutcome(run, call, { id, outcome: undefined });
    },
  });
}

// Starting is an effect: nothing of the child runs before what the parent did before is durable.
function startThen(run: Run, call: Call, child: Promise<ChildStart>, then: (ticket: Ticket) => void): void {
  run.effect(() => {
    run.executing += 1;
    const started = child.then((start) => run.host.startChild(run, start));
    started.then(
      (ticket) => {
        run.executing -= 1;
        then(ticket);
        run.wake();
      },
      (error: unknown) => {
        run.executing -= 1;
        if (run.isActive) run.delivery.complete(call, errorOf(error));
      },
    );
  });
}

function awaitOutcome(run: Run, call: Call, { id, outcome: known }: Pick<Ticket, 'id' | 'outcome'>): void {
  if (!run.isActive) return;
  if (known !== undefined) return run.delivery.complete(call, toResult(id, known));
  call.waitsUntilMs = Infinity;
  const stop = run.host.onOutcome(id, (outcome) => {
    forget();
    call.waitsUntilMs = undefined;
    run.delivery.complete(call, toResult(id, outcome));
  });
  const forget = run.onAbort(stop);
  run.wake();
}

function toResult(id: RunId, outcome: Outcome | undefined): Result {
  if (outcome === undefined) return errorOf(new PerdureError('RUN_NOT_FOUND', { id }));
  if (outcome.status === 'succeeded') return outcome.output === undefined ? {} : { output: outcome.output };
  return outcome.error === undefined ? errorOf(new PerdureError('RUN_CANCELLED', { id })) : { error: outcome.error };
}

/** A stored outcome as the value to return or the error to throw. */
export function openOutcome(id: RunId, outcome: Outcome | undefined, decodeOutput: (text: string) => unknown): unknown {
  const { output, error } = toResult(id, outcome);
  if (error !== undefined) throw decodeError(error);
  return output === undefined ? undefined : decodeOutput(output);
}

function errorOf(error: unknown): Result {
  return { error: encodeError(error) };
}
