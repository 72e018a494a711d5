// Starting the runs of schedules, from what is stored of them: also in a process that knows no code of theirs.

import type { Executor } from '../run/executor.js';
import type { Ticket } from '../run/run-host.js';
import type { ScheduleRow } from '../store/schedules.js';
import { isPerdureError, type ErrorCode } from '../values/errors.js';
import { checkRunId, type RunId } from '../values/ids.js';
import { decode } from '../values/serialize.js';
import type { Tick } from './schedule.js';
import { toNewRun, type StartOptions } from './start.js';

// What another process, or another time, would start no better.
const hopeless: readonly ErrorCode[] = [
  'INPUT_INVALID',
  'UNSERIALIZABLE',
  'PAYLOAD_TOO_LARGE',
  'PAYLOAD_CORRUPT',
  'RUN_ID_CONFLICT',
];

/** Starts the run of a tick, or finds it; undefined, with a word in the log, when that can never succeed. */
export async function startTick(executor: Executor, row: ScheduleRow, tickMs: number): Promise<RunId | undefined> {
  try {
    return (await startScheduled(executor, row, { id: tickRunId(row.name, tickMs), atMs: tickMs })).id;
  } catch (err) {
    if (!isPerdureError(err) || !hopeless.includes(err.code)) throw err;
    const fields = { err, schedule: row.name, tick: new Date(tickMs).toISOString() };
    executor.logger.error(fields, 'a tick is left out: its run cannot be started');
    return undefined;
  }
}

/** Starts a run of a schedule under an id, for a moment. */
export async function startScheduled(
  executor: Executor,
  { name, workflow, version, input, startOptions }: ScheduleRow,
  { id, atMs }: { readonly id: RunId; readonly atMs: number },
): Promise<Ticket> {
  const definition = executor.options.registry.find(workflow, version) ?? {
    name: workflow,
    version,
    run: undefined,
    inputSchema: undefined,
    timeoutMs: undefined,
  };
  const tick: Tick<unknown> = {
    schedule: name,
    scheduledAt: new Date(atMs),
    startedAt: new Date(executor.clock.now()),
    input: decode(input, `the input of schedule "${name}"`),
  };
  const options = JSON.parse(startOptions) as StartOptions;
  return executor.starter.start(await toNewRun(definition, tick, { ...options, id }, executor));
}

/** The id of the run of a tick: the same in every process. */
export function tickRunId(name: string, tickMs: number): RunId {
  return checkRunId(`schedule/${name}/${new Date(tickMs).toISOString()}`);
}
