// npm run demo:nest: an API and two workers, and a key that kills a worker.
//   --script   plays the whole story by itself, kills included, and ends with 0 only if every order was charged and shipped once
// Uses the database of DATABASE_URL, else starts a Postgres and stops it again. PORT: 3000 unless that is taken.

import { startPostgres } from '@perdure/embedded';
import { Fleet } from './demo/fleet.js';
import { freePort } from './demo/free-port.js';
import { Judge } from './demo/judge.js';
import { serveVisitor } from './demo/visitor.js';
import { playStory } from './demo/story.js';

const isScript = process.argv.includes('--script');

const postgres = process.env['DATABASE_URL'] ? undefined : await openPostgres();
const databaseUrl = process.env['DATABASE_URL'] ?? postgres?.url ?? '';
const fleet = new Fleet({
  port: await freePort(Number(process.env['PORT'] ?? 3000)),
  databaseUrl,
  isWatched: !isScript,
});
const judge = new Judge(databaseUrl);

try {
  await fleet.start();
  if (isScript) process.exitCode = (await playStory(fleet, judge)) ? 0 : 1;
  else await serveVisitor(fleet, judge);
} finally {
  await judge.close();
  await fleet.stop();
  if (postgres !== undefined && postgres.how !== 'attached') await postgres.stop();
}

async function openPostgres(): ReturnType<typeof startPostgres> {
  console.log('  starting a Postgres, which takes a moment the first time');
  // Should this process be killed, the server notices that nobody is left, and stops.
  return startPostgres({ database: 'orders', stopWhenIdleMs: 60_000 });
}
