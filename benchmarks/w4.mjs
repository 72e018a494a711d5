// W4: how fast does one process put many jobs into a queue, and how fast does another work them off?

import { until } from './lib/drive.mjs';
import { clock, executed } from './lib/programs.mjs';

export const workload = {
  title: 'Bulk enqueue, then drain at concurrency 100',
  needs: ['queue'],
  measures: {
    drain: { unit: 'jobs/s', better: 'more' },
    enqueue: { unit: 'jobs/s', better: 'more' },
  },
  // Engines that handle jobs one by one get fewer, or a round takes minutes.
  size: { jobs: 50_000, jobsWhenSlow: 5_000, concurrency: 100 },
};

export async function conduct(stage) {
  const { enqueue, jobs } = await stage.play('enqueue');
  const { drain } = await stage.play('drain', { jobs });
  return { drain, enqueue };
}

export const roles = {
  async enqueue(peer, { url, jobs, jobsWhenSlow }) {
    const count = peer.isSlow ? jobsWhenSlow : jobs;
    const engine = await peer.open({ url, role: 'client' });
    const inputs = Array.from({ length: count }, (_, i) => ({ key: `job-${i}` }));
    const began = clock();
    await engine.enqueueMany('empty', inputs);
    const rate = (count / (clock() - began)) * 1000;
    await engine.close();
    return { enqueue: rate, jobs: count };
  },

  async drain(peer, { url, jobs, concurrency }) {
    const engine = await peer.open({ url, role: 'worker', concurrency });
    const began = clock();
    // The database is asked only when the last job has begun: to count what is left would take a good part of a core.
    await until(() => executed.empty >= jobs, { deadlineMs: 240_000, what: 'executing all jobs', everyMs: 5 });
    await until(async () => (await engine.unfinished()) === 0, { deadlineMs: 240_000, what: 'draining the queue' });
    const rate = (jobs / (clock() - began)) * 1000;
    await engine.close();
    return { drain: rate };
  },
};
