// W1: how many runs per second does one process start and finish, when a run does nothing?

import { sustain } from './lib/drive.mjs';

export const workload = {
  title: 'Empty runs, started and awaited',
  needs: ['runs'],
  measures: {
    rate: { unit: 'runs/s', better: 'more' },
    cpu: { unit: 'µs of client CPU per run', better: 'less' },
  },
  size: { concurrency: 100, warmUpMs: 2_000, measureMs: 6_000 },
};

export const roles = {
  async main(peer, { url, concurrency, warmUpMs, measureMs }) {
    const engine = await peer.open({ url, concurrency });
    const { rate, cpuMicros } = await sustain({
      concurrency,
      warmUpMs,
      measureMs,
      once: () => engine.run('empty', {}),
    });
    await engine.close();
    return { rate, cpu: cpuMicros };
  },
};
