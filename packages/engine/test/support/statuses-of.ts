// What has become of several runs.

import type { EngineDatabase } from './test-engine.js';

/** The statuses of those runs that are there, in the order of `ids`. */
export async function statusesOf(db: EngineDatabase, ids: readonly string[]): Promise<string[]> {
  const sql = 'select status from perdure.runs where id = any ($1) order by array_position($1, id)';
  return (await db.query<{ status: string }>(sql, [ids])).map(({ status }) => status);
}
