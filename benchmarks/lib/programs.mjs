// The workflows that are measured, written once against three verbs (step, sleep, receive); each peer's adapter turns
// them into its own kind. What they observe goes to `marks`: the process that runs them reads it, or it is sent on.

import { EventEmitter } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

/** Emits `<program> <key>` with a time in milliseconds of the machine's monotonic clock, comparable across processes. */
export const marks = new EventEmitter();
marks.setMaxListeners(0);

export const clock = () => Number(process.hrtime.bigint()) / 1e6;

const napsBegan = new Map();
const never = () => new Promise(() => {});
// Set in the first of two processes, the one that will be killed.
const stalls = process.env.BENCH_STALL === '1';

/** How often the cheapest program was executed in this process. */
export const executed = { empty: 0 };

/** name → async (input, { step, sleep, receive }) => result */
export const programs = {
  async empty() {
    executed.empty += 1;
    return 0;
  },

  async steps({ count }, { step }) {
    for (let i = 0; i < count; i++) await step('s', async () => i);
    return count;
  },

  async beacon({ key }, { step }) {
    await step('beacon', async () => {
      marks.emit('beacon', { key, at: clock() });
      return 0;
    });
    return 0;
  },

  // Engines that unload a sleeping run come through here twice; the first time counts.
  async nap({ key, ms }, { sleep }) {
    if (!napsBegan.has(key)) napsBegan.set(key, clock());
    await sleep(ms);
    const lateMs = clock() - napsBegan.get(key) - ms;
    napsBegan.delete(key);
    return lateMs;
  },

  // An hour's sleep: never over while we look.
  async park(_, { sleep }) {
    await sleep(3_600_000);
    return 0;
  },

  async wait({ key }, { receive }) {
    marks.emit('waiting', { key, at: clock() });
    await receive(key);
    marks.emit('woken', { key, at: clock() });
    return 0;
  },

  async stall({ key }, { step }) {
    await step('before', async () => 1);
    await step('stall', async () => {
      marks.emit('stalled', { key, at: clock() });
      return stalls ? never() : 1;
    });
    return 0;
  },

  async long({ count }, { step }) {
    const began = clock();
    const times = new Float64Array(count);
    for (let i = 0; i < count; i++) {
      const at = clock();
      await step('s', async () => i);
      times[i] = clock() - at;
    }
    marks.emit('long', { replayMs: clock() - began, times });
    await step('stall', async () => (stalls ? never() : 1));
    return 0;
  },
};

/** Counts marks of a kind until there are `count`, then resolves; rejects with what is missing after `deadlineMs`. */
export async function countMarks(kind, count, deadlineMs) {
  let seen = 0;
  const listener = () => seen++;
  marks.on(kind, listener);
  try {
    const end = clock() + deadlineMs;
    while (seen < count) {
      if (clock() > end) throw new Error(`${seen} of ${count} "${kind}" marks after ${deadlineMs} ms`);
      await delay(5);
    }
  } finally {
    marks.off(kind, listener);
  }
}
