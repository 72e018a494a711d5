// What a list of runs is asked for, and where its pages end.

import type { ListPage, ListPosition } from '../store/list-runs.js';
import { PerdureError } from '../values/errors.js';
import { runStatuses, type RunStatus } from '../values/status.js';
import { refuseUnknown } from '../values/unknown-options.js';
import { encodeAttributes } from './attributes.js';
import type { RunSummary } from './run-info.js';

/** Which runs to list. What is left out does not matter. */
export interface ListOptions {
  readonly status?: RunStatus | readonly RunStatus[];
  /** Name of the workflow. */
  readonly workflow?: string;
  readonly version?: string;
  readonly executor?: string;
  readonly queue?: string;
  /** Id of the run that started them. */
  readonly parent?: string;
  readonly idPrefix?: string;
  /** At this moment or after it. */
  readonly createdAfter?: Date;
  readonly createdBefore?: Date;
  /** Those whose attributes contain these. */
  readonly attributes?: Readonly<Record<string, unknown>>;
  /** Default: newest first. */
  readonly order?: 'newest' | 'oldest';
  /** 1 to 1,000. Default: 100. */
  readonly limit?: number;
  /** The `cursor` of the page before; everything else must be as it was there. */
  readonly cursor?: string | undefined;
}

/** One page of a list. */
export interface RunPage {
  readonly runs: readonly RunSummary[];
  /** For the next page; undefined on the last. */
  readonly cursor: string | undefined;
}

const longestPage = 1_000;

const listOptions: Readonly<Record<keyof ListOptions, true>> = {
  status: true,
  workflow: true,
  version: true,
  executor: true,
  queue: true,
  parent: true,
  idPrefix: true,
  createdAfter: true,
  createdBefore: true,
  attributes: true,
  order: true,
  limit: true,
  cursor: true,
};

/** Checks what was asked for. Throws OPTION_INVALID. */
export function parseListOptions(options: ListOptions): ListPage {
  refuseUnknown(options, listOptions, 'lists of runs');
  const { status, attributes, order = 'newest', limit = 100, cursor, createdAfter, createdBefore } = options;
  if (order !== 'newest' && order !== 'oldest') throw invalid('order', order, 'it is neither newest nor oldest');
  return {
    filter: {
      statuses: status === undefined ? undefined : [status].flat().map(checkStatus),
      workflow: checkText(options.workflow, 'workflow'),
      version: checkText(options.version, 'version'),
      executor: checkText(options.executor, 'executor'),
      queue: checkText(options.queue, 'queue'),
      parentId: checkText(options.parent, 'parent'),
      idPrefix: checkText(options.idPrefix, 'idPrefix'),
      createdFromMs: checkDate(createdAfter, 'createdAfter'),
      createdToMs: checkDate(createdBefore, 'createdBefore'),
      attributes: attributes === undefined ? undefined : encodeAttributes(attributes),
    },
    order,
    limit: checkLimit(limit),
    after: cursor === undefined ? undefined : parseCursor(cursor),
  };
}

/** Throws OPTION_INVALID unless it is a length of a page. */
export function checkLimit(limit: number): number {
  if (Number.isSafeInteger(limit) && limit >= 1 && limit <= longestPage) return limit;
  throw invalid('limit', limit, `it is no whole number from 1 to ${longestPage}`);
}

/** The end of a page as text that callers hand back. */
export function toCursor({ createdAt, id }: ListPosition): string {
  return Buffer.from(JSON.stringify([createdAt, id])).toString('base64url');
}

function parseCursor(cursor: string): ListPosition {
  const [createdAt, id] = readCursor(cursor);
  if (typeof createdAt === 'string' && /^\d{4,6}-\d\d-\d\dT[\d:.]{15}Z$/.test(createdAt) && typeof id === 'string')
    return { createdAt, id };
  throw invalid('cursor', cursor, 'it does not come from the page before');
}

function readCursor(cursor: string): readonly unknown[] {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    return Array.isArray(parsed) ? parsed : [];
  } catch {
    return [];
  }
}

function checkStatus(status: RunStatus): RunStatus {
  if (runStatuses.includes(status)) return status;
  throw invalid('status', status, `it is none of ${runStatuses.join(', ')}`);
}

// A null character would be refused by the database, which knows no text with one.
function checkText(text: string | undefined, option: string): string | undefined {
  if (text === undefined || (typeof text === 'string' && !text.includes('\u0000'))) return text;
  throw invalid(option, text, 'it is no text');
}

function checkDate(date: Date | undefined, option: string): number | undefined {
  if (date === undefined) return undefined;
  const ms = date instanceof Date ? date.getTime() : NaN;
  if (Number.isNaN(ms)) throw invalid(option, date, 'it is not a date');
  return ms;
}

function invalid(option: string, value: unknown, reason: string): PerdureError<'OPTION_INVALID'> {
  return new PerdureError('OPTION_INVALID', { option, value, reason });
}
