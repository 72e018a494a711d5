// widle: what does a process that has nothing to do ask of the database? With each engine's defaults, not with the short polls that buy
// the latencies of the other workloads.

import { setTimeout as delay } from 'node:timers/promises';

export const workload = {
  title: 'An idle process',
  needs: [],
  measures: {
    statements: { unit: 'statements/s', better: 'less' },
    transactions: { unit: 'transactions/s', better: 'less' },
  },
  size: { settleMs: 5_000, windowMs: 30_000 },
};

export async function conduct(stage) {
  await stage.countStatements();
  const idler = stage.start('idle');
  await idler.hear('open');
  await delay(stage.size.settleMs);
  const counted = await stage.counting(() => delay(stage.size.windowMs));
  await idler.kill();
  const seconds = stage.size.windowMs / 1000;
  return {
    statements: counted.statements === undefined ? undefined : counted.statements / seconds,
    transactions: counted.transactions / seconds,
  };
}

export const roles = {
  async idle(peer, { url }, parent) {
    await peer.open({ url, role: 'worker', prefers: 'defaults' });
    parent.tell('open');
    await new Promise(() => {});
  },
};
