// The JSON Schemas of what the protocol answers.

import { runStatuses } from 'perdure';

const text = { type: 'string' };
const time = { type: 'string', format: 'date-time' };

/** A run. */
export const runSchema = {
  type: 'object',
  required: ['id', 'workflow', 'status', 'isFinal'],
  properties: {
    id: text,
    workflow: text,
    status: { enum: runStatuses },
    isFinal: { type: 'boolean' },
    createdAt: time,
    startedAt: time,
    finishedAt: time,
    output: {},
    error: { type: 'object', required: ['name'], properties: { name: text, code: text, message: text } },
  },
} as const;

/** A problem: RFC 9457 and a code. */
export const problemSchema = {
  type: 'object',
  required: ['type', 'title', 'status', 'code'],
  properties: {
    type: text,
    title: text,
    status: { type: 'integer' },
    detail: text,
    code: text,
    errors: { type: 'array', items: { type: 'object', properties: { pointer: text, detail: text } } },
  },
} as const;
