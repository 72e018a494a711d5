// Whether the database answers, and what it knows of this process.

import type { ExecutorId } from '../values/ids.js';
import { findNumber, onlyRow, readNumber, statement, type Queryable } from './sql.js';

const select = statement(
  'health',
  `select (select max(id) from {schema}.migrations) as migration,
          (select (extract(epoch from pg_catalog.clock_timestamp() - heartbeat_at) * 1000)::float8
           from {schema}.executors where id = $1::uuid and dead_at is null) as heartbeat_age_ms`,
);

/** What the database says. */
export interface DatabaseHealth {
  /** The newest migration that is applied. */
  readonly migration: number;
  /** Undefined: the executor has been declared dead, and will notice. */
  readonly heartbeatAgeMs: number | undefined;
}

/** Asks the database once. */
export async function askHealth(db: Queryable, executor: ExecutorId): Promise<DatabaseHealth> {
  const row = onlyRow(await db.query(select, [executor]));
  return { migration: readNumber(row, 'migration'), heartbeatAgeMs: findNumber(row, 'heartbeat_age_ms') };
}
