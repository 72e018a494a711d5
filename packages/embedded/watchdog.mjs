// Stops a server that nobody has used for a while, then ends. Started by src/watchdog.ts with one JSON argument.
// Plain JavaScript outside src: it is the same file for both builds and for runs from source.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';

// `sessions` also shows clients that came and went between two looks; statistics arrive there within a second.
const usage = `
select
  (select count(*) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid())::int as clients,
  (select sum(sessions) from pg_stat_database)::text as sessions
`;

const { url, pid, idleMs, programs } = JSON.parse(process.argv[2]);
const pollMs = Math.min(1_000, idleMs / 4);

const client = new pg.Client({ connectionString: url, application_name: 'perdure-watchdog' });
// The server has ended, and with it the reason to watch.
client.on('error', () => process.exit());
await client.connect();

let usedAt = Date.now();
let seenSessions;
while (Date.now() - usedAt < idleMs) {
  await delay(pollMs);
  const { rows } = await client.query(usage);
  const { clients, sessions } = rows[0];
  if (clients > 0 || sessions !== seenSessions) usedAt = Date.now();
  seenSessions = sessions;
}

if (process.platform === 'win32') spawnSync(join(programs, 'pg_ctl'), ['kill', 'INT', String(pid)]);
else process.kill(pid, 'SIGINT');
