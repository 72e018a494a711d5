// Runs the snippets of one page, one after the other, in a process of their own. Prints a JSON line for each.
//   run-page.ts <file>...      a file is named line-<n>.ts or .sql, with .as-<role> before the ending for another role

import { readFile } from 'node:fs/promises';
import { format } from 'node:util';
import { pathToFileURL } from 'node:url';
import pg from 'pg';
import { openWorld } from './world.js';

/** What became of a snippet. */
export interface Report {
  readonly file: string;
  readonly printed: readonly string[];
  readonly error: string | undefined;
}

const databaseUrl = process.env['DATABASE_URL'] ?? '';
const files = process.argv.slice(2);
// A page about roles creates the schema itself, to give it to one of them.
await openWorld(files.some((file) => roleOf(file) !== undefined) ? 'world' : 'perdure');

const write = console.log.bind(console);
for (const file of files) {
  const printed: string[] = [];
  console.log = (...values: unknown[]) => void printed.push(...format(...values).split('\n'));
  const error = await run(file).then(
    () => undefined,
    (reason: unknown) => format(reason),
  );
  write(JSON.stringify({ file, printed, error } satisfies Report));
}
process.exit(0); // engines of snippets may be left open

async function run(file: string): Promise<void> {
  const role = roleOf(file);
  process.env['DATABASE_URL'] = role === undefined ? databaseUrl : asRole(role);
  if (file.endsWith('.sql')) await runSql(await readFile(file, 'utf8'));
  else await import(pathToFileURL(file).href);
}

async function runSql(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: process.env['DATABASE_URL'] });
  await client.connect();
  try {
    // Roles belong to the server, so they outlive the database of an earlier test.
    for (const [, role] of sql.matchAll(/create role (\w+)/g)) await client.query(`drop role if exists ${role}`);
    await client.query(sql);
  } finally {
    await client.end();
  }
}

function roleOf(file: string): string | undefined {
  return /\.as-(\w+)\./.exec(file)?.[1];
}

// The password that the pages give to every role.
function asRole(role: string): string {
  const url = new URL(databaseUrl);
  url.username = role;
  url.password = 'secret';
  return url.href;
}
