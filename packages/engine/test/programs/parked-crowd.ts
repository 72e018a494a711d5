// Parks as many runs as it is told on its standard input, and says what its memory and its statements come to.

import { createInterface } from 'node:readline';
import pg from 'pg';
import { sleep, workflow } from '../../src/index.js';
import { launchChildEngine, say } from '../support/child-engine.js';

const statements = { count: 0 };
const { query } = pg.Client.prototype as { query: (this: pg.Client, ...values: unknown[]) => unknown };
Object.assign(pg.Client.prototype, {
  query(this: pg.Client, ...values: unknown[]) {
    statements.count += 1;
    return query.apply(this, values);
  },
});

const napping = workflow('napping', async (payload: string) => {
  await sleep('30 days');
  return payload.length;
});
const engine = await launchChildEngine({ workflows: [napping] });

// At most so many at once, so that what is measured is not a queue of starts.
const portion = 500;

async function park(count: number): Promise<void> {
  for (let left = count; left > 0; left -= portion) {
    const size = Math.min(portion, left);
    const payload = 'x'.repeat(1_000);
    await Promise.all(Array.from({ length: size }, () => engine.startWorkflow(napping, payload)));
  }
  await (await engine.startWorkflow(napping, 'last')).status();
}

function report(): void {
  for (let i = 0; i < 5; i++) globalThis.gc?.();
  const { rss, heapUsed, external } = process.memoryUsage();
  say('report', { rss, heapUsed, external, statements: statements.count });
}

say('ready');
for await (const line of createInterface({ input: process.stdin })) {
  const [command, count = '0'] = line.split(' ');
  if (command === 'park') await park(Number(count));
  report();
}
