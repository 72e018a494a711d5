// wstart: one process starts a run, another executes it. How long from the call to the first step?

import { setTimeout as delay } from 'node:timers/promises';
import { clock } from './lib/programs.mjs';
import { percentile } from './lib/statistics.mjs';

export const workload = {
  title: 'Start in one process to first step in another',
  needs: ['remote'],
  measures: {
    p50: { unit: 'ms', better: 'less' },
    p99: { unit: 'ms', better: 'less' },
  },
  size: { count: 200, warmUp: 20 },
};

export async function conduct(stage) {
  const worker = stage.start('worker');
  await worker.hear('open');
  const begun = new Map();
  worker.on('beacon', ({ key, at }) => begun.set(key, at));
  const { calls } = await stage.play('client');
  const times = calls.slice(stage.size.warmUp).map(({ key, at }) => begun.get(key) - at);
  const lost = times.filter((time) => Number.isNaN(time)).length;
  if (lost > 0) throw new Error(`${lost} of ${times.length} runs had not begun by the end`);
  await worker.kill();
  return { p50: percentile(times, 0.5), p99: percentile(times, 0.99) };
}

export const roles = {
  async worker(peer, { url }, parent) {
    parent.forward('beacon');
    await peer.open({ url, role: 'worker', prefers: 'latency' });
    parent.tell('open');
    await new Promise(() => {});
  },

  async client(peer, { url, count, warmUp }) {
    const engine = await peer.open({ url, role: 'client' });
    const calls = [];
    for (let i = 0; i < count + warmUp; i++) {
      await delay(20 + (i % 7) * 7);
      const key = `start-${i}`;
      calls.push({ key, at: clock() });
      await engine.start('beacon', { key });
    }
    await delay(2_000);
    await engine.close();
    return { calls };
  },
};
