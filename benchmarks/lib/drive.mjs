// Ways to put load on an engine and to take its times. Called by the workloads, inside the contestant's process.

import { setTimeout as delay } from 'node:timers/promises';
import { clock } from './programs.mjs';

/**
 * Keeps `concurrency` callers busy with `once` and returns completions per second, counted after a warm-up, and this
 * process's CPU time per completion.
 * The window opens and closes at a completion, so that commits which finish many at once do not distort it.
 */
export async function sustain({ concurrency, warmUpMs, measureMs, once }) {
  const opensAt = clock() + warmUpMs;
  const closesAt = opensAt + measureMs;
  let done = 0;
  let first;
  let cpu;
  let last;
  const caller = async () => {
    while (clock() < closesAt) {
      await once();
      const now = clock();
      if (now < opensAt) continue;
      if (first === undefined) {
        first = now;
        cpu = process.cpuUsage();
      } else done++;
      last = now;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, caller));
  const used = process.cpuUsage(cpu);
  return { rate: (done / (last - first)) * 1000, cpuMicros: (used.user + used.system) / done };
}

/** Calls `once` `count` times one after the other, after some unmeasured calls, and returns each call's milliseconds. */
export async function takeTimes({ count, warmUp, once }) {
  const times = [];
  for (let i = -warmUp; i < count; i++) {
    const at = clock();
    const reported = await once(i);
    if (i >= 0) times.push(typeof reported === 'number' ? reported : clock() - at);
  }
  return times;
}

/** Runs `once` for 0…count-1 with at most `concurrency` at a time. */
export async function spread(count, concurrency, once) {
  let next = 0;
  const caller = async () => {
    while (next < count) await once(next++);
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, count) }, caller));
}

/** Polls until `isDone` says so. */
export async function until(isDone, { deadlineMs, what, everyMs = 20 }) {
  const end = clock() + deadlineMs;
  while (!(await isDone())) {
    if (clock() > end) throw new Error(`${what}: not within ${deadlineMs} ms`);
    await delay(everyMs);
  }
}
