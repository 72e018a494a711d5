// Pages of runs, by age. Payloads stay where they are: a list of a hundred runs may have a gigabyte of them.

import type { RunStatus } from '../values/status.js';
import { textArray, timestampArray } from './binary-arrays.js';
import { factColumns, parseFacts, type RunFacts } from './runs.js';
import { readText, statement, type Queryable, type Statement } from './sql.js';

/** Which runs. What is undefined does not matter. */
export interface RunFilter {
  readonly statuses: readonly RunStatus[] | undefined;
  readonly workflow: string | undefined;
  readonly version: string | undefined;
  readonly executor: string | undefined;
  readonly queue: string | undefined;
  readonly parentId: string | undefined;
  readonly idPrefix: string | undefined;
  /** From this moment on. */
  readonly createdFromMs: number | undefined;
  /** Before this moment. */
  readonly createdToMs: number | undefined;
  /** JSON object that the attributes contain. */
  readonly attributes: string | undefined;
}

/** Where a page ends. */
export interface ListPosition {
  /** To the microsecond, in UTC. */
  readonly createdAt: string;
  readonly id: string;
}

/** One page of a list. */
export interface ListPage {
  readonly filter: RunFilter;
  readonly order: 'newest' | 'oldest';
  readonly after: ListPosition | undefined;
  readonly limit: number;
}

const filters = `($1::text[] is null or r.status || '' = any ($1::text[]))
     and ($2::text is null or r.workflow = $2)
     and ($3::text is null or r.version = $3)
     and ($4::text is null or r.executor::text = $4)
     and ($5::text is null or r.queue = $5)
     and ($6::text is null or r.parent_id = $6)
     and ($7::text is null or starts_with(r.id, $7))
     and r.created_at >= coalesce(($8::timestamptz[])[1], '-infinity')
     and r.created_at < coalesce(($8::timestamptz[])[2], 'infinity')
     and ($9::jsonb is null or r.attributes @> $9::jsonb)`;

// The comparison with the last run of the page before is a condition of the index as well: a page costs the same wherever it stands.
const orders = {
  newest: {
    rest: `(r.created_at, r.id) < (coalesce($10::timestamptz, 'infinity'), coalesce($11::text, ''))`,
    by: 'desc',
  },
  oldest: {
    rest: `(r.created_at, r.id) > (coalesce($10::timestamptz, '-infinity'), coalesce($11::text, ''))`,
    by: 'asc',
  },
} as const;

// Where the runs are looked for. The plans are generic, so the index must follow from the text: `status in (…)` stands as in the
// definition of runs_troubled; `offset 0` keeps a prefix, of which the planner expects too much, from being a mere filter on
// all runs by age.
const sources = {
  everywhere: '{schema}.runs r where true', // runs_created
  troubled: `{schema}.runs r where r.status in ('failed', 'cancelled', 'paused')`, // runs_troubled
  children: '{schema}.runs r where r.parent_id = $6', // runs_children
  prefix: `(select * from {schema}.runs where id >= $7 and id < $7 || U&'\\+10FFFF' offset 0) r where true`, // primary key
} as const;

const listing = (source: keyof typeof sources, order: keyof typeof orders): Statement =>
  statement(
    `list_${source}_${order}`,
    `select ${factColumns},
          to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as created_at
   from ${sources[source]}
     and ${filters}
     and ${orders[order].rest}
   order by r.created_at ${orders[order].by}, r.id ${orders[order].by}
   limit $12::int4`,
  );

const listings = {
  everywhere: { newest: listing('everywhere', 'newest'), oldest: listing('everywhere', 'oldest') },
  troubled: { newest: listing('troubled', 'newest'), oldest: listing('troubled', 'oldest') },
  children: { newest: listing('children', 'newest'), oldest: listing('children', 'oldest') },
  prefix: { newest: listing('prefix', 'newest'), oldest: listing('prefix', 'oldest') },
};

/** One page of runs, and where it ends. */
export async function listRuns(
  db: Queryable,
  { filter, order, after, limit }: ListPage,
): Promise<{ readonly runs: readonly RunFacts[]; readonly end: ListPosition | undefined }> {
  const rows = await db.query(listings[sourceOf(filter)][order], [
    filter.statuses === undefined ? null : textArray(filter.statuses),
    filter.workflow ?? null,
    filter.version ?? null,
    filter.executor ?? null,
    filter.queue ?? null,
    filter.parentId ?? null,
    filter.idPrefix ?? null,
    timestampArray([filter.createdFromMs, filter.createdToMs]),
    filter.attributes ?? null,
    after?.createdAt ?? null,
    after?.id ?? null,
    limit,
  ]);
  const last = rows.at(-1);
  const end = last === undefined ? undefined : { createdAt: readText(last, 'created_at'), id: readText(last, 'id') };
  return { runs: rows.map(parseFacts), end };
}

const troubles: readonly RunStatus[] = ['failed', 'cancelled', 'paused'];

function sourceOf({ parentId, idPrefix, statuses }: RunFilter): keyof typeof sources {
  if (parentId !== undefined) return 'children';
  if (idPrefix !== undefined) return 'prefix';
  return statuses?.every((status) => troubles.includes(status)) === true ? 'troubled' : 'everywhere';
}
