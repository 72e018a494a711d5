// Events: values that runs publish under a name.

import { requireContext, requireRun } from '../run/context.js';
import { setEventIn } from '../run/publish.js';
import { getEventIn } from '../run/read-event.js';
import { parseDuration, type Duration } from '../values/duration.js';
import { checkRunId } from '../values/ids.js';
import type { StandardSchema } from '../values/standard-schema.js';
import { refuseUnknown } from '../values/unknown-options.js';
import { defineChannel, encodeValue, requireChannel, type Channel } from './channel.js';

/** A value that any run may publish under this name. */
export type Event<Value> = Channel<'event', Value>;

/**
 * An event: the current value that a run publishes under a name, readable by others while it runs and after. With a
 * schema, values are checked when they are set. Throws NAME_INVALID, OPTION_INVALID.
 *
 * @example
 * const progress = event<{ done: number; total: number }>('progress');
 */
export function event<Value>(name: string, schema?: StandardSchema<Value>): Event<Value> {
  return defineChannel('event', name, schema);
}

/**
 * Publishes a value, in place of the one before. In workflow code it happens once; in a step, with every attempt.
 * Undefined is refused: it stands for an event that is not set. Throws NOT_IN_RUN, INPUT_INVALID, UNSERIALIZABLE, PAYLOAD_TOO_LARGE.
 *
 * @example
 * await setEvent(progress, { done: 6_000, total: 10_000 });
 */
export async function setEvent<Value>(of: Event<Value>, value: Value): Promise<void> {
  const context = requireContext('setEvent');
  requireChannel('event', of);
  await setEventIn(context, of.name, await encodeValue(of, value, context.run.host.maxPayloadBytes));
}

/** Options of reading an event. */
export interface GetEventOptions {
  /** How long to wait for it to be set. Default: until the run ends. */
  readonly timeout?: Duration;
}

/**
 * The value that a run has published, waiting, durably, until there is one; undefined when the time is up or the run has
 * ended without it. What was read is recorded. From outside of runs use `engine.getEvent`.
 * Throws NOT_IN_RUN, IN_STEP, RUN_NOT_FOUND, OPTION_INVALID, DURATION_INVALID.
 */
export async function getEvent<Value>(
  id: string,
  of: Event<Value>,
  options: GetEventOptions = {},
): Promise<Value | undefined> {
  const run = requireRun('getEvent');
  requireChannel('event', of);
  const timeoutMs = timeoutOf(options);
  return (await getEventIn(run, { runId: checkRunId(id), key: of.name }, timeoutMs)) as Value | undefined;
}

/** How long to wait for it. Throws OPTION_INVALID, DURATION_INVALID. */
export function timeoutOf(options: GetEventOptions): number | undefined {
  refuseUnknown(options, { timeout: true }, 'waits for events');
  const { timeout } = options;
  return timeout === undefined ? undefined : parseDuration(timeout, 'the timeout of getEvent');
}
