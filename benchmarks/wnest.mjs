// WNEST: what do Nest's classes, injection and module cost a run? Runs of 5 trivial steps as a workflow class of a Nest application beside
// the same program given to the bare engine: many at once, and one at a time.

import { sustain, takeTimes } from './lib/drive.mjs';
import { percentile } from './lib/statistics.mjs';

export const workload = {
  title: 'Runs of 5 steps through the Nest module',
  needs: ['nest'],
  measures: {
    nest: { unit: 'runs/s through the module', better: 'more' },
    nestCpu: { unit: 'µs of CPU per run', better: 'less' },
    nestP50: { unit: 'ms p50, one run at a time', better: 'less' },
    bare: { unit: 'runs/s of the bare engine', better: 'more' },
    bareCpu: { unit: 'µs of CPU per run', better: 'less' },
    bareP50: { unit: 'ms p50, one run at a time', better: 'less' },
    rateRatio: { unit: 'runs/s through the module, the bare engine being 1', better: 'more' },
    cpuRatio: { unit: 'CPU per run, the bare engine being 1', better: 'less' },
    p50Ratio: { unit: 'p50, the bare engine being 1', better: 'less' },
  },
  size: { count: 5, concurrency: 100, warmUpMs: 2_000, measureMs: 4_000, single: 300, warmUp: 50, turns: 2 },
};

const openers = { bare: 'open', nest: 'openNest' };

export const roles = {
  async main(peer, { url, kind, count, concurrency, warmUpMs, measureMs, single, warmUp }) {
    const engine = await peer[openers[kind]]({ url, concurrency });
    // Without the result: a number would be taken for a time.
    const once = async () => void (await engine.run('steps', { count }));
    const { rate, cpuMicros } = await sustain({ concurrency, warmUpMs, measureMs, once });
    const times = await takeTimes({ count: single, warmUp, once });
    await engine.close();
    return { rate, cpu: cpuMicros, p50: percentile(times, 0.5) };
  },
};

// One after the other, and the other way round: tables that grow and a machine that gets busy do not favour one of them.
export async function conduct(stage) {
  const played = { bare: [], nest: [] };
  for (let turn = 0; turn < stage.size.turns; turn++) {
    const order = turn % 2 === 0 ? ['bare', 'nest'] : ['nest', 'bare'];
    for (const kind of order) played[kind].push(await stage.play('main', { kind }));
  }
  const bare = meansOf(played.bare);
  const nest = meansOf(played.nest);
  return {
    nest: nest.rate,
    nestCpu: nest.cpu,
    nestP50: nest.p50,
    bare: bare.rate,
    bareCpu: bare.cpu,
    bareP50: bare.p50,
    rateRatio: nest.rate / bare.rate,
    cpuRatio: nest.cpu / bare.cpu,
    p50Ratio: nest.p50 / bare.p50,
  };
}

function meansOf(figures) {
  const mean = (key) => figures.reduce((sum, each) => sum + each[key], 0) / figures.length;
  return { rate: mean('rate'), cpu: mean('cpu'), p50: mean('p50') };
}
