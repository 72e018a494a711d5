// pg-boss: a job queue, no workflows. Best settings found: three fetchers of 1,000 jobs each for draining, one job per fetch with
// notification for latency.

import { PgBoss } from 'pg-boss';
import { onClient, value } from '../lib/cluster.mjs';
import { packageVersion } from '../lib/package-version.mjs';
import { programs } from '../lib/programs.mjs';

export const version = packageVersion('pg-boss');
export const offers = ['queue', 'remote'];

const verbs = { step: (_, fn) => fn() };
const listens = { useListenNotify: true };

export async function open({ url, role = 'both', prefers = 'throughput' }) {
  const boss = new PgBoss({ connectionString: url, max: 20, supervise: false, schedule: false, ...listens });
  boss.on('error', () => {});
  await boss.start();
  for (const name of ['empty', 'beacon']) await boss.createQueue(name, { notify: true });
  if (role !== 'client') for (const name of ['empty', 'beacon']) await work(boss, name, prefers);
  const enqueue = (name, input) => boss.send(name, input);
  return {
    start: enqueue,
    enqueue,
    enqueueMany: async (name, inputs) => {
      for (let i = 0; i < inputs.length; i += 1000) {
        await boss.insert(
          name,
          inputs.slice(i, i + 1000).map((data) => ({ data })),
        );
      }
    },
    unfinished: () =>
      onClient(url, async (client) =>
        Number(await value(client, `select count(*) from pgboss.job where state < 'completed'`)),
      ),
    close: () => boss.stop({ graceful: false }),
  };
}

function work(boss, name, prefers) {
  const options =
    prefers === 'throughput'
      ? { batchSize: 1_000, localConcurrency: 3, pollingIntervalSeconds: 0.5, burstWhenBatchFull: true }
      : { batchSize: 1, pollingIntervalSeconds: 0.5 };
  return boss.work(name, options, (jobs) => Promise.all(jobs.map((job) => programs[name](job.data, verbs))));
}
