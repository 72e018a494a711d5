// Graphile Worker: a job queue, no workflows. Best settings found: a local queue of 2,000 and completions gathered for
// 50 ms for draining (200 jobs and 10 ms drain a third as fast); neither for latency, where both add to it.

import { makeWorkerUtils, run, Logger } from 'graphile-worker';
import { onClient, value } from '../lib/cluster.mjs';
import { packageVersion } from '../lib/package-version.mjs';
import { programs } from '../lib/programs.mjs';

export const version = packageVersion('graphile-worker');
export const offers = ['queue', 'remote'];

const logger = new Logger(() => () => {});
const verbs = { step: (_, fn) => fn() };

export async function open({ url, role = 'both', concurrency = 100, prefers = 'throughput' }) {
  const utils = await makeWorkerUtils({ connectionString: url, logger });
  await utils.migrate();
  const runner = role === 'client' ? undefined : await startWorker(url, concurrency, prefers);
  const enqueue = (name, input) => utils.addJob(name, input);
  return {
    start: enqueue,
    enqueue,
    enqueueMany: async (name, inputs) => {
      for (let i = 0; i < inputs.length; i += 1000) {
        await utils.addJobs(inputs.slice(i, i + 1000).map((payload) => ({ identifier: name, payload })));
      }
    },
    // Finished jobs are deleted.
    unfinished: () =>
      onClient(url, async (client) =>
        Number(await value(client, 'select count(*) from graphile_worker._private_jobs')),
      ),
    close: async () => {
      await runner?.stop();
      await utils.release();
    },
  };
}

function startWorker(url, concurrency, prefers) {
  const preferences = {
    throughput: {
      concurrentJobs: concurrency,
      localQueue: { size: 2_000 },
      completeJobBatchDelay: 50,
      failJobBatchDelay: 50,
    },
    latency: { concurrentJobs: concurrency, pollInterval: 1000 },
    defaults: {},
  };
  return run({
    connectionString: url,
    logger,
    noHandleSignals: true,
    maxPoolSize: 10,
    taskList: Object.fromEntries(
      Object.entries(programs).map(([name, program]) => [name, async (input) => void (await program(input, verbs))]),
    ),
    preset: {
      worker: preferences[prefers],
    },
  });
}
