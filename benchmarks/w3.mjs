// W3: how long does one run of 10 steps take when nothing else happens, from the call to its result?

import { takeTimes } from './lib/drive.mjs';
import { percentile } from './lib/statistics.mjs';

export const workload = {
  title: '10 trivial steps in sequence, one run at a time',
  needs: ['runs'],
  measures: {
    p50: { unit: 'ms', better: 'less' },
    p99: { unit: 'ms', better: 'less' },
  },
  size: { count: 300, warmUp: 50 },
};

export const roles = {
  async main(peer, { url, count, warmUp }) {
    const engine = await peer.open({ url });
    const times = await takeTimes({
      count,
      warmUp,
      once: () => engine.run('steps', { count: 10 }).then(() => undefined),
    });
    await engine.close();
    return { p50: percentile(times, 0.5), p99: percentile(times, 0.99) };
  },
};
