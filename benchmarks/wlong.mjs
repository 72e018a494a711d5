// wlong: a run of 10,000 steps. Does a step get slower as the history grows, and how long does its replay take?

import { setTimeout as delay } from 'node:timers/promises';
import { clock, marks } from './lib/programs.mjs';
import { median } from './lib/statistics.mjs';

export const workload = {
  title: 'A run of 10,000 steps, and its replay',
  needs: ['long'],
  measures: {
    first: { unit: 'ms per step, median of the first 1,000', better: 'less' },
    last: { unit: 'ms per step, median of the last 1,000', better: 'less' },
    replay: { unit: 'ms to replay 10,000 steps', better: 'less' },
  },
  size: { count: 10_000 },
};

export async function conduct(stage, peer) {
  const author = stage.start('write', {}, { environment: { BENCH_STALL: '1' } });
  const { first, last } = await author.hear('written');
  await author.kill();
  await delay(peer.leaseMs + 500);
  const { replay } = await stage.play('replay');
  return { first, last, replay };
}

const longDone = () => new Promise((resolve) => marks.once('long', resolve));

export const roles = {
  async write(peer, { url, count }, parent) {
    const engine = await peer.open({ url });
    const done = longDone();
    await engine.start('long', { count });
    const { times } = await done;
    // The step after them has been begun, so all of these are recorded soon.
    await delay(500);
    parent.tell('written', { first: median(times.slice(0, 1000)), last: median(times.slice(-1000)) });
    await new Promise(() => {});
  },

  async replay(peer, { url }) {
    const done = longDone();
    const began = clock();
    await peer.open({ url });
    const { replayMs } = await done;
    return { replay: replayMs, sinceLaunch: clock() - began };
  },
};
