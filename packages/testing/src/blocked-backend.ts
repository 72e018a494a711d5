// Proof that a race happens: the test holds a lock and goes on only when the other side is seen to wait for it.

import { waitFor } from './wait-for.js';

/** As much of pg's Client, Pool and PoolClient as is needed here. */
export interface Queryable {
  query(sql: string, values: unknown[]): Promise<{ readonly rows: unknown[] }>;
}

/** Which waiting connections count, and for how long to look. */
export interface BlockedBackendOptions {
  /** Text that the waiting statement contains, in any case. Default: any statement. */
  readonly statement?: string;
  /** How many connections must wait. Default: 1. */
  readonly count?: number;
  /** Default: 10,000. */
  readonly timeoutMs?: number;
}

// Rides no index: pg_stat_activity is a function over shared memory.
const blockedBackends = `
select pid, query
from pg_stat_activity
where datname = current_database()
  and wait_event_type = 'Lock'
  and ($1::text is null or position(lower($1) in lower(query)) > 0)
order by pid
`;

/** Resolves when a connection to the client's database waits for a lock (of a row, a table, an advisory one). */
export async function waitForBlockedBackend(client: Queryable, options: BlockedBackendOptions = {}): Promise<void> {
  const { statement, count = 1, timeoutMs } = options;
  const matching = statement === undefined ? '' : ` in a statement with "${statement}"`;
  await waitFor(async () => (await client.query(blockedBackends, [statement ?? null])).rows, {
    what: `${count} connection(s) to wait for a lock${matching}`,
    until: (rows) => rows.length >= count,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
}
