// A time of its own for one database: a `now()` that every session of it finds before that of pg_catalog, and that adds a shift
// from a table. So no statement and no process has to know that the time is virtual; the engine's leases alone name the real one.
// Called by create-test-engine.ts and test-clock.ts.

import { escapeIdentifier } from 'pg';
import type { Connection } from './connection.js';

/** Part of a template: the clock, which goes right until it is moved. Seconds, because a day of an interval is not always 24 hours. */
export const installClock = `
create schema perdure_time;
grant usage on schema perdure_time to public;
create table perdure_time.clock (shift_seconds float8 not null);
grant select, update on perdure_time.clock to public;
insert into perdure_time.clock values (0);
create function perdure_time.now() returns timestamptz language sql stable as
  'select pg_catalog.now() + pg_catalog.make_interval(secs => shift_seconds) from perdure_time.clock';
create function perdure_time.clock_timestamp() returns timestamptz language sql volatile as
  'select pg_catalog.clock_timestamp() + pg_catalog.make_interval(secs => shift_seconds) from perdure_time.clock';
set search_path = perdure_time, pg_catalog, public;
`;

/** Has every new session of a database go by its clock. A clone of a template does not have this of its template. */
export const goByClock = (database: string): string =>
  `alter database ${escapeIdentifier(database)} set search_path = perdure_time, pg_catalog, "$user", public`;

const findNow = `
select to_regprocedure('now()') is not distinct from to_regprocedure('perdure_time.now()') as is_virtual
`;

/** Whether the statements of a connection have the virtual time. */
export async function isVirtual(connection: Connection): Promise<boolean> {
  const { rows } = await connection.query<{ is_virtual: boolean }>(findNow);
  return rows[0]?.is_virtual === true;
}

const readTime = `select (extract(epoch from perdure_time.clock_timestamp()) * 1000)::float8 as now_ms`;

/** The virtual time, in epoch milliseconds. */
export async function readVirtualTime(connection: Connection): Promise<number> {
  const { rows } = await connection.query<{ now_ms: number }>(readTime);
  return rows[0]?.now_ms ?? NaN;
}

const setTime = `
update perdure_time.clock
set shift_seconds = $1::float8 / 1000 - extract(epoch from pg_catalog.clock_timestamp())
`;

/** Sets the time, also back: before any engine is launched. */
export async function setVirtualTime(connection: Connection, toMs: number): Promise<void> {
  await connection.query(setTime, [toMs]);
}

// Never back: what was due would not be any more, and several processes may move the time at once.
const moveTime = `
update perdure_time.clock
set shift_seconds = greatest(shift_seconds, $1::float8 / 1000 - extract(epoch from pg_catalog.clock_timestamp()))
`;

/** Moves the time forward to a moment; one that has passed changes nothing. */
export async function moveVirtualTime(connection: Connection, toMs: number): Promise<void> {
  await connection.query(moveTime, [toMs]);
}
