// The body of a request: read once, bounded, kept as it came for whoever verifies a signature, and parsed as JSON.

import { PerdureError } from 'perdure';
import type { RequestInfo } from './options.js';

// A value nested deeper than this has no honest use, and would exhaust the stack of whatever walks over it.
const deepestNesting = 200;

/** The bytes as they came; none for a request without a body. Throws BODY_TOO_LARGE, BODY_TYPE_UNSUPPORTED. */
export async function readRawBody(request: Request, { rawBody }: RequestInfo, limit: number): Promise<Uint8Array> {
  if (rawBody !== undefined) return bounded(rawBody, limit);
  if (request.body === null) return new Uint8Array();
  const encoding = request.headers.get('content-encoding') ?? 'identity';
  if (encoding.toLowerCase() !== 'identity') throw new PerdureError('BODY_TYPE_UNSUPPORTED', { contentType: encoding });
  if (Number(request.headers.get('content-length') ?? 0) > limit) throw new PerdureError('BODY_TOO_LARGE', { limit });
  const parts: Uint8Array[] = [];
  let bytes = 0;
  const reader: ReadableStreamDefaultReader<Uint8Array> = request.body.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    bytes += part.value.byteLength;
    if (bytes > limit) {
      void readToEnd(reader);
      throw new PerdureError('BODY_TOO_LARGE', { limit });
    }
    parts.push(part.value);
  }
  return Buffer.concat(parts);
}

// The rest is not wanted. But to cancel it would, where Next makes the request, end the connection and lose the answer that says so.
async function readToEnd(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  try {
    while (!(await reader.read()).done);
  } catch {
    // Neither is a reason wanted why it did not come.
  }
}

function bounded(body: Uint8Array, limit: number): Uint8Array {
  if (body.byteLength > limit) throw new PerdureError('BODY_TOO_LARGE', { limit });
  return body;
}

/** The value of a JSON body; undefined when there is none. Throws BODY_NOT_JSON, BODY_TYPE_UNSUPPORTED. */
export function parseBody(raw: Uint8Array, request: Request, { parsedBody }: RequestInfo): unknown {
  if (parsedBody !== undefined) return parsedBody.value;
  if (raw.byteLength === 0) return undefined;
  const contentType = request.headers.get('content-type') ?? '';
  if (!isJson(contentType)) throw new PerdureError('BODY_TYPE_UNSUPPORTED', { contentType });
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(raw);
    if (isTooDeep(text)) throw new Error(`it is nested deeper than ${deepestNesting} levels`);
    return JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new PerdureError('BODY_NOT_JSON', { reason }, { cause: error });
  }
}

function isJson(contentType: string): boolean {
  const [type = '', ...parameters] = contentType.toLowerCase().split(';');
  const charset = parameters.map((parameter) => /^\s*charset\s*=\s*"?([^"\s]+)/.exec(parameter)?.[1]).find(Boolean);
  return /^\s*application\/([\w.+-]+\+)?json\s*$/.test(type) && (charset === undefined || charset === 'utf-8');
}

function isTooDeep(text: string): boolean {
  let depth = 0;
  let isInText = false;
  for (let at = 0; at < text.length; at++) {
    const character = text.charCodeAt(at);
    if (character === 0x22) isInText = !isInText;
    else if (character === 0x5c && isInText) at += 1;
    else if (isInText) continue;
    else if (character === 0x5b || character === 0x7b) depth += 1;
    else if (character === 0x5d || character === 0x7d) depth -= 1;
    if (depth > deepestNesting) return true;
  }
  return false;
}
