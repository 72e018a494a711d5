// What an application makes reachable. Nothing is, unless it is named here; a run of a workflow that is not named does not exist for
// the protocol.

import type { Event, StandardSchema, Startable, StartOptions, Stream, Topic } from 'perdure';
import { describeWorkflow, PerdureError, refuseUnknown } from 'perdure';

/** A workflow that may be started and looked at over HTTP, and what else of its runs is reachable. */
export interface ExposedWorkflow<Input = never> {
  readonly workflow: Startable<Input, unknown>;
  /** Checks, and perhaps transforms, the JSON of a request before it becomes the input. The workflow's own schema counts as well. */
  readonly input?: StandardSchema<unknown, Input> | undefined;
  /** Whether requests may start it. Default: true; false leaves its runs to be looked at. */
  readonly start?: boolean | undefined;
  /** The id, queue, … of the run for an input that has been checked. */
  readonly options?: ((input: Input, request: Request) => StartOptions | Promise<StartOptions>) | undefined;
  /** Mailboxes that messages may be sent to. Their schemas check what is sent. */
  readonly topics?: readonly Topic<unknown>[] | undefined;
  /** Values that are told with the events of a run. */
  readonly events?: readonly Event<unknown>[] | undefined;
  /** Logs that are told with the events of a run. */
  readonly streams?: readonly Stream<unknown>[] | undefined;
  /** Whether its runs may be cancelled. Default: false. */
  readonly cancel?: boolean | undefined;
}

/** A workflow by itself, or with what else of its runs is reachable. */
export type Exposable = Startable<never, unknown> | ExposedWorkflow;

/**
 * Names a workflow and what of it is reachable, with the types of its input checked against each other.
 *
 * @example
 * createHttpHandler(engine, { expose: [expose({ workflow: checkout, input: orderSchema, topics: [approval] })] });
 */
export function expose<Input>(exposed: ExposedWorkflow<Input>): ExposedWorkflow {
  return exposed as unknown as ExposedWorkflow; // what goes in is checked by the schemas, whatever their types
}

/** What is reachable, by the names of workflows. */
export type Exposures = ReadonlyMap<string, ExposedWorkflow>;

const known: Readonly<Record<keyof ExposedWorkflow, true>> = {
  workflow: true,
  input: true,
  start: true,
  options: true,
  topics: true,
  events: true,
  streams: true,
  cancel: true,
};

/** Throws OPTION_INVALID for what is no workflow, for what can be exposed of none, and for a name that is there twice. */
export function readExposures(exposables: readonly Exposable[]): Exposures {
  const exposures = new Map<string, ExposedWorkflow>();
  for (const exposable of exposables) {
    const exposed: ExposedWorkflow = isExposed(exposable) ? exposable : { workflow: exposable };
    const { name } = describeWorkflow(exposed.workflow);
    checkExposed(exposed);
    if (exposures.has(name)) {
      throw new PerdureError('OPTION_INVALID', { option: 'expose', value: name, reason: 'it is listed twice' });
    }
    exposures.set(name, exposed);
  }
  return exposures;
}

// Where types are not checked, what is misspelt or no topic would be closed to all, and nobody would know why.
function checkExposed(exposed: ExposedWorkflow): void {
  refuseUnknown(exposed, known, 'exposed workflows');
  const { input, options, start, cancel } = exposed;
  if (input !== undefined && !('~standard' in Object(input))) throw invalid('input', input, 'give a Standard Schema');
  if (options !== undefined && typeof options !== 'function') throw invalid('options', options, 'give a function');
  for (const [option, value] of Object.entries({ start, cancel }))
    if (value !== undefined && typeof value !== 'boolean') throw invalid(option, value, 'it is neither true nor false');
  for (const kind of ['topic', 'event', 'stream'] as const) {
    const channels: unknown = exposed[`${kind}s`];
    if (channels === undefined) continue;
    const areRight =
      Array.isArray(channels) && channels.every((channel) => Reflect.get(Object(channel), 'kind') === kind);
    if (!areRight) throw invalid(`${kind}s`, channels, `give a list of what ${kind}() has made`);
  }
}

function invalid(option: string, value: unknown, reason: string): PerdureError {
  return new PerdureError('OPTION_INVALID', { option, value, reason });
}

function isExposed(exposable: Exposable): exposable is ExposedWorkflow {
  return typeof exposable === 'object' && exposable !== null && 'workflow' in exposable;
}
