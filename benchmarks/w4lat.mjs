// W4lat: how long does a job wait in an idle queue before it starts?

import { setTimeout as delay } from 'node:timers/promises';
import { takeTimes } from './lib/drive.mjs';
import { clock, marks } from './lib/programs.mjs';
import { percentile } from './lib/statistics.mjs';

export const workload = {
  title: 'Enqueue to start on an idle queue, same process',
  needs: ['queue'],
  measures: {
    p50: { unit: 'ms', better: 'less' },
    p99: { unit: 'ms', better: 'less' },
  },
  size: { count: 200, warmUp: 20 },
};

export const roles = {
  async main(peer, { url, count, warmUp }) {
    const engine = await peer.open({ url, prefers: 'latency' });
    const once = async (i) => {
      await delay(20 + (i % 7) * 7);
      const started = new Promise((resolve) => marks.once('beacon', resolve));
      const at = clock();
      await engine.enqueue('beacon', { key: `job-${i}` });
      return (await started).at - at;
    };
    const times = await takeTimes({ count, warmUp, once });
    await engine.close();
    return { p50: percentile(times, 0.5), p99: percentile(times, 0.99) };
  },
};
