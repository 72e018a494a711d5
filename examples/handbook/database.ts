// The database of an example: that of DATABASE_URL, else a Postgres that is started for it and stopped again.

import { startPostgres } from '@perdure/embedded';

/** Runs a program with the URL of a database. */
export async function withDatabase(program: (url: string) => Promise<void>): Promise<void> {
  const given = process.env['DATABASE_URL'];
  if (given) return program(given);
  const postgres = await startPostgres({ database: 'handbook', stopWhenIdleMs: 60_000 });
  try {
    await program(postgres.url);
  } finally {
    if (postgres.how !== 'attached') await postgres.stop();
  }
}
