// whistory: do finished runs in the tables slow the new ones down? W1, W2 and W3 in turn on a database full of history and on an empty one.
// `--size finished=5000000` for the recorded run (10 minutes, 10 GB); the default is a million runs with five steps each.

import { roles as runs } from './w1.mjs';
import { roles as steps } from './w2.mjs';
import { roles as latency } from './w3.mjs';
import { median } from './lib/statistics.mjs';

const load = { concurrency: 100, warmUpMs: 2_000, measureMs: 6_000 };

export const workload = {
  title: 'W1, W2 and W3 with finished runs in the tables, and with none',
  needs: ['history'],
  // The rounds are inside: building the history again for each would take longer than the measurement.
  rounds: 1,
  measures: {
    w1: { unit: 'runs/s with history', better: 'more' },
    w1Empty: { unit: 'runs/s without', better: 'more' },
    w2: { unit: 'steps/s with history', better: 'more' },
    w2Empty: { unit: 'steps/s without', better: 'more' },
    w3: { unit: 'ms p50 with history', better: 'less' },
    w3Empty: { unit: 'ms p50 without', better: 'less' },
    wal: { unit: 'bytes of WAL per W2 run with history', better: 'less' },
    walEmpty: { unit: 'bytes of WAL per W2 run without', better: 'less' },
  },
  size: { finished: 1_000_000, turns: 3 },
};

export async function conduct(stage, peer) {
  const databases = { '': stage.url, Empty: await stage.createDatabase('empty') };
  for (const url of Object.values(databases)) await stage.play('open', { url });
  await peer.writeHistory({ url: stage.url, runs: stage.size.finished });
  const seen = {};
  const note = (key, figure) => (seen[key] ??= []).push(figure);
  for (let turn = -1; turn < stage.size.turns; turn++) {
    for (const [suffix, url] of Object.entries(databases)) {
      const bare = await stage.play('w1', { ...load, url });
      const stepping = await stage.counting(() => stage.play('w2', { ...load, url }));
      const single = await stage.play('w3', { count: 300, warmUp: 50, url });
      // The first turn touches pages for the first time since the checkpoint: what it writes is their images.
      if (turn < 0) continue;
      note(`w1${suffix}`, bare.rate);
      note(`w2${suffix}`, stepping.figures.rate);
      note(`wal${suffix}`, stepping.wal / stepping.figures.runs);
      note(`w3${suffix}`, single.p50);
    }
  }
  return Object.fromEntries(Object.entries(seen).map(([key, figures]) => [key, median(figures)]));
}

export const roles = {
  /** Opens and closes the engine, which creates its tables. */
  async open(peer, { url }) {
    const engine = await peer.open({ url });
    await engine.close();
  },
  w1: (peer, options) => runs.main(peer, options),
  w2: (peer, options) => steps.main(peer, options),
  w3: (peer, options) => latency.main(peer, options),
};
