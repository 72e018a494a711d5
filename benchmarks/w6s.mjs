// W6s: how late does a durable sleep of half a second end?

import { takeTimes } from './lib/drive.mjs';
import { percentile } from './lib/statistics.mjs';

export const workload = {
  title: 'Lateness of a durable sleep of 500 ms',
  needs: ['sleep'],
  measures: {
    p50: { unit: 'ms', better: 'less' },
    p99: { unit: 'ms', better: 'less' },
  },
  size: { batches: 10, perBatch: 10 },
};

export const roles = {
  async main(peer, { url, batches, perBatch }) {
    const engine = await peer.open({ url });
    const lateness = [];
    const once = async (i) => {
      const naps = Array.from({ length: perBatch }, (_, j) => engine.run('nap', { key: `nap-${i}-${j}`, ms: 500 }));
      const late = await Promise.all(naps);
      if (i >= 0) lateness.push(...late);
    };
    await takeTimes({ count: batches, warmUp: 1, once });
    await engine.close();
    return { p50: percentile(lateness, 0.5), p99: percentile(lateness, 0.99) };
  },
};
