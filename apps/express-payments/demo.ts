// npm run demo: a shop in the browser, with a button that kills it.
//   --script   plays the whole story in the terminal, kills included, and ends with 0 only if the ledger is right
// Uses the database of DATABASE_URL, else starts a Postgres and stops it again. PORT: 3000 unless that is taken.

import { startPostgres } from '@perdure/embedded';
import { playStory } from './story.js';
import { freePort, Supervisor } from './supervisor.js';

const words = { serves: 'serves the shop', died: 'is dead', closed: 'has closed the shop' } as const;
const isScript = process.argv.includes('--script');

const postgres = process.env['DATABASE_URL'] ? undefined : await openPostgres();
const supervisor = new Supervisor({
  port: await freePort(Number(process.env['PORT'] ?? 3000)),
  databaseUrl: process.env['DATABASE_URL'] ?? postgres?.url ?? '',
  report: (pid, what) => console.log(`  process ${pid} ${words[what]}`),
});

try {
  await supervisor.start();
  if (isScript) {
    const isRight = await playStory(supervisor.url);
    process.exitCode = isRight ? 0 : 1;
  } else {
    console.log(`\n  The shop is open: ${supervisor.url}\n  Ctrl-C closes it.\n`);
    await new Promise<void>((resolve) => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
    });
  }
} finally {
  await supervisor.stop();
  if (postgres !== undefined && postgres.how !== 'attached') await postgres.stop();
}

async function openPostgres(): ReturnType<typeof startPostgres> {
  console.log('  starting a Postgres, which takes a moment the first time');
  // Should this process be killed, the server notices that nobody is left, and stops.
  return startPostgres({ database: 'payments', stopWhenIdleMs: 60_000 });
}
