// Runs a workflow's function in its run, to its outcome. A first run, a replay after a wake-up and a recovery after a
// crash all enter here, and differ only in the history that the run brings.

import { recordable } from '../values/control-flow.js';
import { PerdureError } from '../values/errors.js';
import type { Logger } from '../values/logger.js';
import { encodeResult } from '../values/payload.js';
import { decode, decodeError, encodeError } from '../values/serialize.js';
import { restored } from './carried-context.js';
import { withContext } from './context.js';
import type { Run } from './run.js';
import type { Outcome } from './run-host.js';

/** Sets a run going. Its end is told by `run.finish`, unless it leaves memory before. */
export function runWorkflow(run: Run): void {
  const { definition, input, attributes } = run.seed;
  const execute = (): unknown => {
    if (definition.run === undefined)
      throw new PerdureError('WORKFLOW_UNKNOWN', { workflow: definition.name, known: [] });
    return definition.run(decode(input, `the input of run ${run.id}`));
  };
  const carrying = (): unknown => restored(run.host.carrier, attributes, execute);
  const isolated = run.host.outside(() => withContext({ run, step: undefined }, () => promised(carrying)));
  void isolated.then(
    (value) => run.finish(toOutcome(run, value)),
    (thrown: unknown) => {
      const error = encodeError(recordable(thrown, `workflow "${definition.name}" (run ${run.id})`));
      run.finish({ status: 'failed', output: undefined, error });
    },
  );
  if (run.delivery.isReplaying) run.wake();
}

// An async function around the code would make three promises more.
function promised(work: () => unknown): Promise<unknown> {
  try {
    return Promise.resolve(work());
  } catch (error) {
    return Promise.reject(error); // oxlint-disable-line typescript/prefer-promise-reject-errors -- code may throw anything
  }
}

/** Has a claimed run go on: unless its deadline has passed, or the engine is being closed and the claim was under way before. */
export function continueRun(run: Run): void {
  if (run.deadlineAtMs !== undefined && run.deadlineAtMs <= run.now()) run.expire();
  else if (run.host.isDraining) run.park(run.now());
  else runWorkflow(run);
}

/** Logs that a run has failed, once that is recorded: nobody may be waiting for its result. */
export function tellFailure(logger: Logger, run: Run | undefined, { error }: Outcome): void {
  if (run === undefined || error === undefined) return;
  const fields = { runId: run.id, workflow: run.seed.definition.name, err: decodeError(error) };
  logger.warn(fields, 'a run has failed');
}

function toOutcome(run: Run, value: unknown): Outcome {
  try {
    const what = `the result of workflow "${run.seed.definition.name}" (run ${run.id})`;
    return { status: 'succeeded', output: encodeResult(value, what, run.host.maxPayloadBytes), error: undefined };
  } catch (error) {
    return { status: 'failed', output: undefined, error: encodeError(error) };
  }
}
