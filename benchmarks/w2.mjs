// W2: how many steps per second does one process execute and record, and what does a run cost the database?

import { sustain } from './lib/drive.mjs';

const stepsPerRun = 5;

export const workload = {
  title: 'Runs of 5 trivial steps, started and awaited',
  needs: ['runs'],
  measures: {
    rate: { unit: 'steps/s', better: 'more' },
    cpu: { unit: 'µs of client CPU per run', better: 'less' },
    wal: { unit: 'bytes of WAL per run', better: 'less' },
    statements: { unit: 'statements per run', better: 'less' },
  },
  size: { concurrency: 100, warmUpMs: 2_000, measureMs: 6_000 },
};

/** The rate is taken undisturbed; a second, shorter pass is counted by the server. */
export async function conduct(stage) {
  const { rate, cpu } = await stage.play('main');
  const counted = await stage.counting(() => stage.play('main', { warmUpMs: 0, measureMs: 2_000 }));
  const { runs } = counted.figures;
  return {
    rate,
    cpu,
    wal: counted.wal / runs,
    statements: counted.statements === undefined ? undefined : counted.statements / runs,
  };
}

export const roles = {
  async main(peer, { url, concurrency, warmUpMs, measureMs }) {
    const engine = await peer.open({ url, concurrency });
    let runs = 0;
    const once = async () => {
      await engine.run('steps', { count: stepsPerRun });
      runs++;
    };
    const { rate, cpuMicros } = await sustain({ concurrency, warmUpMs, measureMs, once });
    await engine.close();
    return { rate: rate * stepsPerRun, cpu: cpuMicros, runs };
  },
};
