// Input validation by any library that speaks Standard Schema (Zod, Valibot, ArkType, ...), without depending on one.
// The types are version 1.1 of https://standardschema.dev, reduced to what is used here.

import { type InputIssue, PerdureError } from './errors.js';
import { type PathSegment, pathInWords } from './value-in-words.js';

/** A schema of any library that follows Standard Schema 1.x. */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (
      value: unknown,
      options?: StandardOptions,
    ) => StandardResult<Output> | Promise<StandardResult<Output>>;
    /** Since 1.1, and not in every library: forms and tool descriptions are made from it. */
    readonly jsonSchema?: StandardJsonSchema | undefined;
    /** Exists for the type checker only. */
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

/** Options that some library understands. */
export interface StandardOptions {
  readonly libraryOptions?: Record<string, unknown> | undefined;
}

/** The outcome of a validation: the value, perhaps transformed, or what is wrong with it. */
export type StandardResult<Output> =
  { readonly value: Output; readonly issues?: undefined } | { readonly issues: readonly StandardIssue[] };

export interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** Makes a JSON Schema of the values that go in or come out. Throws for what JSON Schema cannot express. */
export interface StandardJsonSchema {
  readonly input: (options: JsonSchemaOptions) => Record<string, unknown>;
  readonly output: (options: JsonSchemaOptions) => Record<string, unknown>;
}

export interface JsonSchemaOptions extends StandardOptions {
  readonly target: 'draft-2020-12' | 'draft-07' | 'openapi-3.0' | (string & {});
}

/** The type of the values that a schema accepts. */
export type SchemaInput<Schema extends StandardSchema> = NonNullable<Schema['~standard']['types']>['input'];

/** The type of the values that a schema returns. */
export type SchemaOutput<Schema extends StandardSchema> = NonNullable<Schema['~standard']['types']>['output'];

/** Whether `value` is a schema of this kind. Some libraries make schemas that are functions. */
export function isStandardSchema(value: unknown): value is StandardSchema {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  const props: unknown = Reflect.get(value, '~standard');
  if (typeof props !== 'object' || props === null) return false;
  return 'version' in props && props.version === 1 && 'validate' in props && typeof props.validate === 'function';
}

/** Refuses a schema that could check nothing. Throws OPTION_INVALID. */
export function checkSchema<Schema extends StandardSchema>(
  schema: Schema | undefined,
  { option, of }: { readonly option: string; readonly of: string },
): Schema | undefined {
  if (schema === undefined || isStandardSchema(schema)) return schema;
  const reason = `${of} takes a Standard Schema, as those of zod (from 3.24), valibot (from 1.0) and arktype (from 2.0)`;
  throw new PerdureError('OPTION_INVALID', { option, value: schema, reason });
}

/**
 * `value` as the schema returns it: checked, and perhaps with defaults and transformations applied.
 * `what` names it in the error. Throws `INPUT_INVALID` with every issue; an error that the schema itself throws passes through.
 */
export async function validate<Output>(
  schema: StandardSchema<unknown, Output>,
  value: unknown,
  what: string,
): Promise<Output> {
  const result = await schema['~standard'].validate(value);
  if (result.issues === undefined) return result.value;
  throw new PerdureError('INPUT_INVALID', { what, issues: result.issues.map(inputIssue) });
}

function inputIssue({ path = [], message }: StandardIssue): InputIssue {
  const segments = path.map(pathSegment);
  return { path: pathInWords(segments), pointer: `#${segments.map(pointerToken).join('')}`, message };
}

// RFC 6901: ~ and / are escaped; in a URI fragment, so is what a fragment cannot hold. Half a surrogate pair has no escape.
function pointerToken(segment: PathSegment): string {
  const key = typeof segment === 'object' ? segment.text : String(segment);
  return `/${encodeURIComponent(
    key
      .replace(/[\ud800-\udfff]/gu, '\ufffd')
      .replaceAll('~', '~0')
      .replaceAll('/', '~1'),
  )}`;
}

function pathSegment(segment: PropertyKey | { readonly key: PropertyKey }): PathSegment {
  const key = typeof segment === 'object' ? segment.key : segment;
  return typeof key === 'symbol' ? { text: `[${key.toString()}]` } : key;
}
