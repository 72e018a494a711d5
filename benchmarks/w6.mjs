// W6: how long from sending a message to the code that waits for it going on, while the run is in memory?

import { setTimeout as delay } from 'node:timers/promises';
import { takeTimes } from './lib/drive.mjs';
import { clock, marks } from './lib/programs.mjs';
import { percentile } from './lib/statistics.mjs';

export const workload = {
  title: 'Send to wake of a waiting run',
  needs: ['messages'],
  measures: {
    p50: { unit: 'ms', better: 'less' },
    p99: { unit: 'ms', better: 'less' },
  },
  size: { count: 150, warmUp: 10 },
};

export const roles = {
  async main(peer, { url, count, warmUp }) {
    const engine = await peer.open({ url });
    const once = async (i) => {
      const key = `mail-${i}`;
      const waiting = new Promise((resolve) => marks.once('waiting', resolve));
      const woken = new Promise((resolve) => marks.once('woken', resolve));
      const run = await engine.start('wait', { key });
      await waiting;
      // Long enough to be registered as a waiter in the database, where the engine does that.
      await delay(60 + (i % 7) * 7);
      const before = clock();
      const sentAt = await engine.send(run, key, { hello: i });
      return (await woken).at - (typeof sentAt === 'number' ? sentAt : before);
    };
    const times = await takeTimes({ count, warmUp, once });
    await engine.close();
    return { p50: percentile(times, 0.5), p99: percentile(times, 0.99) };
  },
};
