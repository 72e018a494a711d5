// Brings the schema up to date, safely from many processes at once and through a pooler in transaction mode.
// Each migration is its own transaction whose first act inserts its row: whoever comes second waits for that row,
// finds it there, and goes on. No advisory lock, no session state.

import { PerdureError } from '../values/errors.js';
import { checkName } from '../values/ids.js';
import type { Database, TransactionClient } from './database.js';
import { codeOf, explain, kindOf } from './failures.js';
import { migrations } from './migrations.generated.js';
import { readBoolean, readNumber, statement, textFor } from './sql.js';

const createSchema = 'create schema if not exists {schema}';

const createMigrations = `create table if not exists {schema}.migrations (
     id int primary key,
     name text not null,
     is_breaking boolean not null default false,
     applied_at timestamptz not null default now()
   )`;

const findSchema = 'select from pg_namespace where nspname = $1';

const selectApplied = statement('select_migrations', 'select id, is_breaking from {schema}.migrations order by id');

const insertMigration =
  'insert into {schema}.migrations (id, name, is_breaking) values ($1, $2, $3) on conflict (id) do nothing';

/** The newest migration that this code knows. */
export const newestMigration = Math.max(0, ...migrations.map((migration) => migration.id));

/**
 * All of the DDL, as a script for a DBA to read and run with a role that may. Safe to repeat: what is applied is skipped.
 * Throws NAME_INVALID.
 */
export function printMigrations(schema = 'perdure'): string {
  checkName('schema', schema);
  const parts = migrations.map(
    ({ id, name, sql }) =>
      `do $apply$ begin
insert into {schema}.migrations (id, name, is_breaking) values (${id}, '${name}', ${isBreaking(sql)}) on conflict do nothing;
if found then execute $migration$
${sql}
$migration$; end if;
end $apply$;
`,
  );
  return textFor(`${createSchema};\n${createMigrations};\n\n${parts.join('\n')}`, schema);
}

/**
 * Applies what is missing. With `mayChange` false it only checks. Safe to repeat and to run concurrently.
 * Throws SCHEMA_MISSING, SCHEMA_TOO_NEW, MIGRATION_FAILED.
 */
export async function migrate(db: Database, mayChange: boolean): Promise<void> {
  const applied = await findApplied(db);
  const missing = migrations.filter(({ id }) => !applied.has(id));
  if (missing.length === 0) return;
  if (!mayChange) {
    throw new PerdureError('SCHEMA_MISSING', {
      schema: db.schema,
      reason: `${missing.length} of ${migrations.length} migrations are not applied, and migrations are switched off`,
    });
  }
  if (applied.size === 0) await bootstrap(db);
  for (const migration of missing) await apply(db, migration);
}

async function findApplied(db: Database): Promise<ReadonlySet<number>> {
  try {
    const rows = await db.query(selectApplied, []);
    const newer = rows.filter((row) => readNumber(row, 'id') > newestMigration && readBoolean(row, 'is_breaking'));
    if (newer.length > 0) {
      const found = Math.max(...newer.map((row) => readNumber(row, 'id')));
      throw new PerdureError('SCHEMA_TOO_NEW', { schema: db.schema, found, supported: newestMigration });
    }
    return new Set(rows.map((row) => readNumber(row, 'id')));
  } catch (error) {
    if (isMissing(error)) return new Set();
    throw explain(error, db.target);
  }
}

// `create schema if not exists` asks for the right to create schemas even where it has nothing to do.
async function bootstrap(db: Database): Promise<void> {
  await retryOnRace(db, 'schema', async (client) => {
    const { rowCount } = await client.query(findSchema, [db.schema]);
    if (rowCount === 0) await client.query(textFor(createSchema, db.schema));
    await client.query(textFor(createMigrations, db.schema));
  });
}

async function apply(db: Database, { id, name, sql }: (typeof migrations)[number]): Promise<void> {
  await retryOnRace(db, name, async (client) => {
    await client.query("set local lock_timeout = '30s'"); // for whoever else is applying it
    const inserted = await client.query(textFor(insertMigration, db.schema), [id, name, isBreaking(sql)]);
    if (inserted.rowCount !== 1) return;
    // Everybody who wants a table stands in line behind who waits to change it; heartbeats must not, for a whole lease.
    await client.query("set local lock_timeout = '2s'");
    await client.query(textFor(sql, db.schema));
  });
}

const lockTimeout = '55P03';
const pauseMs = 1_000;

// `create … if not exists` of two sessions at once can still collide on the catalog's unique indexes.
async function retryOnRace(
  db: Database,
  name: string,
  work: (client: TransactionClient) => Promise<void>,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await db.transaction(work);
    } catch (error) {
      if (attempt >= 10 || !isRace(error)) throw failed(error, db, name);
      if (codeOf(error) === lockTimeout) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}

function failed(error: unknown, db: Database, migration: string): PerdureError {
  const reason = error instanceof Error ? error.message : String(error);
  if (codeOf(error) === '42501') {
    return new PerdureError('SCHEMA_MISSING', { schema: db.schema, reason }, { cause: error });
  }
  if (kindOf(error) === 'lost' || codeOf(error) === '25006') return explain(error, db.target);
  return new PerdureError('MIGRATION_FAILED', { migration, reason }, { cause: error });
}

// A migration says in its header that code older than it cannot go on: `-- breaking`.
function isBreaking(sql: string): boolean {
  return /^-- breaking\b/m.test(sql);
}

function isMissing(error: unknown): boolean {
  return ['42P01', '3F000'].includes(codeOf(error) ?? '');
}

function isRace(error: unknown): boolean {
  return ['23505', '42P06', '42P07', '42710', '40001', '40P01', lockTimeout].includes(codeOf(error) ?? '');
}
