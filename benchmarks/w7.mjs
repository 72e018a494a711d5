// W7: what does a sleeping run cost in memory?

import { setTimeout as delay } from 'node:timers/promises';
import { spread, until } from './lib/drive.mjs';

export const workload = {
  title: 'Memory of sleeping runs',
  needs: ['sleep'],
  measures: {
    rssPerRun: { unit: 'bytes of RSS per run', better: 'less' },
    heapPerRun: { unit: 'bytes of heap per run', better: 'less' },
    // No ratio: the numbers of runs differ.
    rss: { unit: 'MB of added RSS' },
  },
  size: { runs: 100_000, runsWhenSlow: 10_000 },
};

export const roles = {
  async main(peer, { url, runs, runsWhenSlow }) {
    const count = peer.parksCheaply ? runs : runsWhenSlow;
    const engine = await peer.open({ url });
    // The code is compiled and the pools are open before the first look.
    await spread(500, 100, () => engine.run('empty', {}));
    const before = await settledMemory();
    await spread(count, 100, () => engine.start('park', {}).then(() => undefined));
    const isParked = async () => (await engine.parked()) >= count;
    await until(isParked, { deadlineMs: 240_000, what: 'every run asleep', everyMs: 250 });
    const after = await settledMemory();
    return {
      rssPerRun: (after.rss - before.rss) / count,
      heapPerRun: (after.heapUsed - before.heapUsed) / count,
      rss: (after.rss - before.rss) / 1e6,
    };
  },
};

async function settledMemory() {
  for (let i = 0; i < 5; i++) {
    globalThis.gc();
    await delay(300);
  }
  return process.memoryUsage();
}
