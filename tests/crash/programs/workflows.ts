// The workflows that the workers of crash tests host, and what each must come to: a model without any engine. Every step
// notes its execution in the table of effects before it does anything else.

import {
  currentRun,
  currentStep,
  patched,
  random,
  runStep,
  sleep,
  startWorkflow,
  workflow,
  type Engine,
  type WorkflowReference,
} from 'perdure';
import type pg from 'pg';
import { setTimeout as delay } from 'node:timers/promises';
import { noteEffect } from '../support/effects.js';
import { defineZombie } from './zombie.js';

/** What a scenario is started with. */
export interface Input {
  readonly n: number;
  /** How long steps take and runs sleep, in milliseconds, about. */
  readonly pauseMs: number;
}

/** What the workflows of a process work with. */
export interface World {
  readonly pool: pg.Pool;
  /** For handles in workflow code; set before anything runs. */
  engine: Engine | undefined;
}

/** What a run of each scenario comes to: its result, or the message of its error. */
export const scenarios: Readonly<Record<string, (n: number) => number | string>> = {
  steps: (n) => n + 1 + 2 * n,
  retries: (n) => 10 * n + 3,
  sleeps: (n) => n + 1,
  parents: (n) => n * n + 1 + (n + 1) ** 2,
  failures: (n) => `${n} is too much`,
};

const quickRetry = { maxAttempts: 5, delay: 20, maxDelay: 20, jitter: false } as const;

/** Executes a step that notes it and takes up to `pauseMs`. */
export function actIn({ pool }: World): <T>(name: string, value: T, pauseMs: number) => Promise<T> {
  return (name, value, pauseMs) =>
    runStep(name, async () => {
      await noteEffect(pool);
      if (pauseMs > 0) await delay(Math.random() * pauseMs);
      return value;
    });
}

/** The workflows of a world. */
export function defineWorkflows(world: World): WorkflowReference<never, unknown>[] {
  const act = actIn(world);
  const failTwice = (name: string, n: number): Promise<number> =>
    runStep(
      name,
      async () => {
        await noteEffect(world.pool);
        const { attempt } = currentStep();
        if (attempt < 3) throw new TypeError(`attempt ${attempt} of ${n}`);
        return 10 * n + attempt;
      },
      { retry: quickRetry },
    );

  const steps = workflow('steps', async ({ n, pauseMs }: Input) => {
    const first = await act('first', n, pauseMs);
    const [left, right] = await Promise.all([act('left', first + 1, pauseMs), act('right', first * 2, pauseMs)]);
    return act('last', left + right, pauseMs);
  });

  const retries = workflow('retries', ({ n }: Input) => failTwice('flaky', n));

  const sleeps = workflow('sleeps', async ({ n, pauseMs }: Input) => {
    const before = await act('before', n, 0);
    await sleep(20 + 5 * pauseMs * random());
    const after = await act('after', before + 1, 0);
    await Promise.race([sleep(pauseMs), act('raced', 0, 2 * pauseMs)]);
    return after;
  });

  const child = workflow('child', async ({ n, pauseMs }: Input) => {
    await sleep(pauseMs);
    return act('child', n * n, pauseMs);
  });

  const parents = workflow('parents', async ({ n, pauseMs }: Input) => {
    const called = await child({ n, pauseMs });
    const id = await startWorkflow(child, { n: n + 1, pauseMs });
    const between = await act('between', 1, pauseMs);
    const started = await world.engine?.getHandle<number>(id).result();
    return called + between + (started ?? NaN);
  });

  const failures = workflow('failures', async ({ n, pauseMs }: Input) => {
    await act('before', n, pauseMs);
    await runStep('fail', async () => {
      await noteEffect(world.pool);
      throw Object.assign(new RangeError(`${n} is too much`), { code: 'TOO_MUCH' });
    });
  });

  // Passes by every statement that a run can cause.
  const everything = workflow('everything', async ({ n, pauseMs }: Input) => {
    const isPatched = patched('everything');
    const [left, right] = await Promise.all([act('left', n, pauseMs), act('right', 2, pauseMs)]);
    await sleep(pauseMs);
    const tried = await failTwice('flaky', n);
    const called = await child({ n, pauseMs });
    const id = await startWorkflow(child, { n: n + 1, pauseMs });
    const started = await world.engine?.getHandle<number>(id).result();
    return { isPatched, left, right, tried, called, started, id };
  });

  // One step after the other, for as long as a test needs.
  const chain = workflow('chain', async ({ n, pauseMs }: Input) => {
    for (let at = 1; at <= n; at += 1) {
      await runStep(`link ${at}`, async () => {
        await noteEffect(world.pool);
        await delay(pauseMs);
      });
    }
    return n;
  });

  const timers = workflow('timers', async ({ pauseMs }: Input) => {
    await act('before', 0, 0);
    await sleep(pauseMs);
    await act('after', 0, 0);
    await startWorkflow(delayed, undefined, { delay: pauseMs });
    await act('started', 0, 0);
  });
  const delayed = workflow('delayed', () => act('delayed', 0, 0));

  const whoami = workflow('whoami', () => runStep('whoami', () => ({ pid: process.pid, epoch: currentRun().epoch })));

  return [steps, retries, sleeps, child, parents, failures, everything, chain, timers, delayed, whoami, defineZombie()];
}
