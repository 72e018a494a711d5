// A database per test file, cloned from a template that was migrated once for all of them. Cloning takes 13 to 26 ms on
// a RAM disk with 30 tables and 90 indexes; migrating each database took 99 ms.

import { createHash, randomBytes } from 'node:crypto';
import { escapeIdentifier, type Client } from 'pg';
import { onTestServer, testServerUrl, withDatabase } from './test-server.js';

/** A database that belongs to one test file. */
export interface TestDatabase {
  readonly url: string;
  readonly name: string;
  /** Drops it, whoever is still connected. Safe to repeat. */
  drop(): Promise<void>;
}

/** How to make a template, and how to tell that it would now come out differently. */
export interface TemplateRecipe {
  /** Text that changes when the migrations do, such as their SQL. Another fingerprint makes another template. */
  readonly fingerprint: string;
  /** Brings the empty database of the URL up to date, and closes its connections. */
  readonly migrate: (url: string) => Promise<void>;
}

const databaseExists = `
select exists (select from pg_database where datname = $1) as exists
`;

// Held by the session, because CREATE DATABASE refuses to run in a transaction. It goes with the connection.
const lockTemplate = `
select pg_advisory_lock(hashtext('perdure-testing'), hashtext($1))
`;

/**
 * The name of the template database, which exists and is migrated when this resolves. Of all the processes that ask at
 * once, one migrates it. A failed migration leaves no template behind. Needs a direct connection, not a pooler's.
 */
export async function ensureTemplate(name: string, { fingerprint, migrate }: TemplateRecipe): Promise<string> {
  const template = templateName(name, fingerprint);
  await onTestServer(async (client) => {
    if (await exists(client, template)) return;
    await client.query(lockTemplate, [template]);
    if (await exists(client, template)) return;
    const unfinished = `${template}_unfinished`;
    await client.query(`drop database if exists ${escapeIdentifier(unfinished)} with (force)`);
    await client.query(`create database ${escapeIdentifier(unfinished)}`);
    await migrate(withDatabase(await testServerUrl(), unfinished));
    // Its last name is the mark of a finished template, and a connection to it would make every clone fail.
    await client.query(`alter database ${escapeIdentifier(unfinished)} with allow_connections false`);
    await client.query(`alter database ${escapeIdentifier(unfinished)} rename to ${escapeIdentifier(template)}`);
  });
  return template;
}

/**
 * A new database on the shared server: a clone of `template`, or empty. Create one per test file in `beforeAll`, and
 * drop it in `afterAll`. `prefix` is how its name begins, for a reader of pg_stat_activity.
 *
 * @example
 * const template = await ensureTemplate('shop', { fingerprint: migrationSql, migrate });
 * const database = await createTestDatabase({ template });
 */
export async function createTestDatabase(
  options: { readonly template?: string; readonly prefix?: string } = {},
): Promise<TestDatabase> {
  const name = `${options.prefix ?? 'perdure_test'}_${randomBytes(6).toString('hex')}`;
  await onTestServer(async (client) => {
    await client.query(`create database ${escapeIdentifier(name)}${await cloneClause(client, options.template)}`);
  });
  return {
    name,
    url: withDatabase(await testServerUrl(), name),
    drop: () =>
      onTestServer(async (client) => {
        await client.query(`drop database if exists ${escapeIdentifier(name)} with (force)`);
      }),
  };
}

function templateName(name: string, fingerprint: string): string {
  const hash = createHash('sha256').update(`${name}\n${fingerprint}`).digest('hex').slice(0, 12);
  // Postgres cuts names after 63 bytes, and a hash that was cut off tells nothing apart.
  return `perdure_template_${name.slice(0, 20)}_${hash}`;
}

/** Copying files (the only way before Postgres 15) beats the default, which writes every page to the log. */
async function cloneClause(client: Client, template: string | undefined): Promise<string> {
  if (template === undefined) return '';
  const { rows } = await client.query<{ version: number }>(
    `select current_setting('server_version_num')::int as version`,
  );
  const strategy = (rows[0]?.version ?? 0) >= 150_000 ? ' strategy file_copy' : '';
  return ` template ${escapeIdentifier(template)}${strategy}`;
}

async function exists(client: Client, database: string): Promise<boolean> {
  const { rows } = await client.query<{ exists: boolean }>(databaseExists, [database]);
  return rows[0]?.exists === true;
}
