// W5: a process dies by SIGKILL with 2,000 runs half done. How long until all of them are complete?
// `fresh`: in a process started after the lease has run out, from the moment it opens the engine. `standby`: in a process that was alive
// all the time, from the kill, at each engine's lease.

import { setTimeout as delay } from 'node:timers/promises';
import { spread, until } from './lib/drive.mjs';
import { clock, countMarks } from './lib/programs.mjs';

export const workload = {
  title: '2,000 runs interrupted by SIGKILL, all completed',
  needs: ['recovery'],
  measures: {
    fresh: { unit: 'ms after the lease', better: 'less' },
    standby: { unit: 'ms after the kill, lease included', better: 'less' },
  },
  size: { runs: 2_000 },
};

export async function conduct(stage, peer) {
  const fresh = await afterTheLease(stage, peer);
  // An engine whose runs only their own restarted process takes back has no standby to measure.
  const standby = peer.leaseMs === 0 ? undefined : await besideAnother(stage);
  return { fresh, standby };
}

async function afterTheLease(stage, peer) {
  const victim = stage.start('fill', {}, { environment: { BENCH_STALL: '1' } });
  await victim.hear('filled');
  await victim.kill();
  await delay(peer.leaseMs + 500);
  const { finishedMs } = await stage.play('finish');
  return finishedMs;
}

async function besideAnother(stage) {
  const victim = stage.start('fill', {}, { environment: { BENCH_STALL: '1' } });
  await victim.hear('filled');
  const other = stage.start('finish', { isEarly: true });
  await other.hear('open');
  const killed = clock();
  await victim.kill();
  other.tell('killed');
  const { finishedAt } = await other.figures;
  return finishedAt - killed;
}

export const roles = {
  async fill(peer, { url, runs }, parent) {
    const engine = await peer.open({ url, concurrency: runs });
    const stalled = countMarks('stalled', runs, 120_000);
    await spread(runs, 200, (i) => engine.start('stall', { key: `run-${i}` }));
    await stalled;
    parent.tell('filled');
    await new Promise(() => {});
  },

  async finish(peer, { url, runs, isEarly }, parent) {
    const began = clock();
    const killed = parent.hear('killed');
    const engine = await peer.open({ url, concurrency: runs });
    parent.tell('open');
    if (isEarly) await killed;
    await until(async () => (await engine.unfinished()) === 0, { deadlineMs: 180_000, what: 'completing every run' });
    const finishedAt = clock();
    return { finishedMs: finishedAt - began, finishedAt };
  },
};
