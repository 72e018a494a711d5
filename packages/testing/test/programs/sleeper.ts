// An engine in a process of its own, on the database of a test: sleeps in runs that the test starts.

import { createEngine, now, silentLogger, sleep, workflow } from 'perdure';

const elsewhere = workflow('elsewhere', async (days: number) => {
  await sleep(`${days} days`);
  return { pid: process.pid, at: now() };
});

const database = process.env['DATABASE_URL'];
const engine = createEngine({ database, workflows: [elsewhere], logger: silentLogger, parkAfter: '1h' });
await engine.launch();
console.log(JSON.stringify({ type: 'launched' }));
