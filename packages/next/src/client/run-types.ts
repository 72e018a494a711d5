// The types of a run as a browser sees it: its definitions are imported as types alone, and their values come as JSON.

import type { Event, Stream, WorkflowReference } from 'perdure';

/**
 * What is known of a run: its workflow, and its events and streams by their names. All of it types.
 *
 * @example
 * import type { indexDocument, progress } from '../workflows';
 * const run = useRun<{ workflow: typeof indexDocument; events: { progress: typeof progress } }>(id);
 */
export interface RunTypes {
  readonly workflow?: WorkflowReference<never, unknown>;
  readonly events?: Readonly<Record<string, { readonly kind: 'event' }>>;
  readonly streams?: Readonly<Record<string, { readonly kind: 'stream' }>>;
}

/** A value as it arrives: what JSON has no form for comes as text, lists or plain objects. */
export type AsJson<Value> = Value extends Date | bigint | URL | RegExp | Uint8Array | ArrayBuffer
  ? string
  : Value extends Error
    ? { name: string; message: string }
    : Value extends ReadonlyMap<infer Key, infer Item>
      ? [AsJson<Key>, AsJson<Item>][]
      : Value extends ReadonlySet<infer Item>
        ? AsJson<Item>[]
        : Value extends (...args: never) => unknown
          ? never
          : Value extends object
            ? { [Key in keyof Value]: AsJson<Value[Key]> }
            : Value;

/** The input of a workflow; anything, where no workflow is named. */
export type InputOf<Workflow> =
  Workflow extends WorkflowReference<infer Input, unknown> ? ([Input] extends [never] ? unknown : Input) : unknown;

/** The result of a workflow, as it arrives. */
export type ResultOf<Types extends RunTypes> =
  Types['workflow'] extends WorkflowReference<never, infer Output> ? AsJson<Output> : unknown;

/** The events of a run that have been set, by their names. */
export type EventsOf<Types extends RunTypes> = Types['events'] extends object
  ? {
      readonly [Name in keyof Types['events']]?: Types['events'][Name] extends Event<infer Value>
        ? AsJson<Value>
        : never;
    }
  : Readonly<Record<string, unknown>>;

/** The values of a run's streams so far, by their names. */
export type StreamsOf<Types extends RunTypes> = Types['streams'] extends object
  ? {
      readonly [Name in keyof Types['streams']]?: Types['streams'][Name] extends Stream<infer Value>
        ? readonly AsJson<Value>[]
        : never;
    }
  : Readonly<Record<string, readonly unknown[]>>;
