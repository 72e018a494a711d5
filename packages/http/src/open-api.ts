// The protocol of an application as an OpenAPI 3.1 description (https://spec.openapis.org/oas/v3.1.1), for documentation and clients.

import { describeWorkflow, type StandardSchema } from 'perdure';
import { readExposures, type ExposedWorkflow } from './exposure.js';
import type { HttpOptions } from './options.js';
import { problemSchema, runSchema } from './open-api-schemas.js';

type Json = Readonly<Record<string, unknown>>;

/** An OpenAPI document, as JSON. */
export interface OpenApiDocument {
  readonly openapi: '3.1.1';
  readonly info: { readonly title: string; readonly version: string };
  readonly paths: Readonly<Record<string, Json>>;
  readonly components: Json;
}

/** What a description is made of. */
export interface OpenApiOptions extends Pick<HttpOptions, 'expose' | 'basePath' | 'idempotency' | 'tickSecret'> {
  /** Default: `Workflows`. */
  readonly title?: string | undefined;
  /** Of the application's API. Default: `1.0.0`. */
  readonly version?: string | undefined;
}

/**
 * Describes the routes that a handler with these options has, with the JSON Schemas of inputs and messages where their schemas can tell them.
 * Throws OPTION_INVALID.
 *
 * @example
 * app.get('/openapi.json', (req, res) => res.json(openApi({ basePath: '/perdure', expose: [checkout] })));
 */
export function openApi(options: OpenApiOptions): OpenApiDocument {
  const { basePath = '', title = 'Workflows', version = '1.0.0', idempotency, tickSecret } = options;
  const exposures = readExposures(options.expose);
  const all = [...exposures.values()];
  const isKeyRequired = idempotency?.required ?? false;
  const paths = [
    ...[...exposures]
      .filter(([, { start }]) => start !== false)
      .map(
        ([name, exposed]) => [`/start/${encodeURIComponent(name)}`, startPath(name, exposed, isKeyRequired)] as const,
      ),
    ['/runs/{id}', { parameters: [idParameter], get: readOperation }] as const,
    ['/runs/{id}/events', { parameters: [idParameter], get: watchOperation }] as const,
    ...topicsOf(all).map(
      ([name, schema]) => [`/runs/{id}/topics/${encodeURIComponent(name)}`, topicPath(name, schema)] as const,
    ),
    ...(all.some(({ cancel }) => cancel === true) ? [['/runs/{id}/cancel', cancelPath] as const] : []),
    ...(tickSecret === undefined ? [] : [['/tick', tickPath] as const]),
  ];
  return {
    openapi: '3.1.1',
    info: { title, version },
    paths: Object.fromEntries(paths.map(([path, item]) => [`${basePath}${path}`, item])),
    components: {
      schemas: { Run: runSchema, Problem: problemSchema },
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } },
    },
  };
}

const run = { 'application/json': { schema: { $ref: '#/components/schemas/Run' } } };
const problem = {
  description: 'A problem, with its code',
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
};
const text = { type: 'string' };
const idParameter = { name: 'id', in: 'path', required: true, schema: text, description: 'The id of the run' };
const prefer = { name: 'Prefer', in: 'header', schema: text, example: 'wait=10' };
const idempotencyKey = { name: 'Idempotency-Key', in: 'header', schema: text };

const readOperation = {
  operationId: 'readRun',
  summary: 'The run as it stands',
  parameters: [prefer],
  responses: { 200: { description: 'The run', content: run }, default: problem },
};
const watchOperation = {
  operationId: 'watchRun',
  summary: 'State, events and streams of the run, as server-sent events',
  parameters: [{ name: 'Last-Event-ID', in: 'header', schema: text }],
  responses: {
    200: { description: 'Server-sent events', content: { 'text/event-stream': { schema: text } } },
    204: { description: 'Everything was told' },
    default: problem,
  },
};
const cancelPath = {
  parameters: [idParameter],
  post: {
    operationId: 'cancelRun',
    summary: 'Cancels the run',
    responses: { 200: { description: 'The run', content: run }, default: problem },
  },
};
const tickPath = {
  post: {
    operationId: 'tick',
    summary: 'Runs what is due',
    security: [{ bearer: [] }],
    responses: { 200: { description: 'How it ended' }, default: problem },
  },
};

function startPath(name: string, { workflow, input }: ExposedWorkflow, isKeyRequired: boolean): Json {
  return {
    post: {
      operationId: `start:${name}`,
      summary: `Starts ${name}`,
      parameters: [prefer, { ...idempotencyKey, required: isKeyRequired }],
      requestBody: { content: bodyOf(input ?? describeWorkflow(workflow).input) },
      responses: {
        200: { description: 'The outcome, in the time that was preferred', content: run },
        202: { description: 'Started: see Location', headers: { Location: { schema: text } } },
        default: problem,
      },
    },
  };
}

function topicPath(name: string, schema: StandardSchema | undefined): Json {
  return {
    parameters: [idParameter],
    post: {
      operationId: `send:${name}`,
      summary: `Sends a message to ${name}`,
      parameters: [idempotencyKey],
      requestBody: { required: true, content: bodyOf(schema) },
      responses: { 202: { description: 'Sent' }, default: problem },
    },
  };
}

function topicsOf(exposures: readonly ExposedWorkflow[]): readonly (readonly [string, StandardSchema | undefined])[] {
  const topics = exposures.flatMap((exposed) => exposed.topics ?? []);
  return [...new Map(topics.map(({ name, schema }) => [name, schema]))];
}

function bodyOf(schema: StandardSchema | undefined): Json {
  return { 'application/json': { schema: jsonSchemaOf(schema) } };
}

// Not every library tells its schemas, and none can tell what JSON Schema has no word for: then any JSON will do.
function jsonSchemaOf(schema: StandardSchema | undefined): Json {
  try {
    return schema?.['~standard'].jsonSchema?.input({ target: 'draft-2020-12' }) ?? {};
  } catch {
    return {};
  }
}
