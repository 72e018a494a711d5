// What an interruption must not change: what was recorded, what the code saw of it, and that it is not executed again.

import type { Engine } from '../../src/index.js';
import { historyOf, type RecordedStep } from './histories.js';
import type { Traced } from './replay-workflows.js';
import type { EngineDatabase } from './test-engine.js';

/** A run that has its outcome, and how it came to it in this process. */
export interface FinishedRun extends Traced {
  readonly history: readonly RecordedStep[];
  /** The steps that were executed for it here, as `name occurrence`. */
  readonly executed: readonly string[];
}

/** What was executed in this process, by run. */
export class Executions {
  readonly #byRun = new Map<string, string[]>();

  readonly note = (id: string, step: string): void => {
    this.#byRun.set(id, [...this.of(id), step]);
  };

  of(id: string): readonly string[] {
    return this.#byRun.get(id) ?? [];
  }
}

/** Waits for the outcome of one of the workflows of replay-workflows.ts. */
export async function finish(
  db: EngineDatabase,
  engine: Engine,
  executions: Executions,
  id: string,
): Promise<FinishedRun> {
  const { trace, value } = await engine.getHandle<Traced>(id).result();
  return { trace, value, history: await historyOf(db, id), executed: executions.of(id) };
}

/** What a run that was interrupted when it had recorded `before` did wrong afterwards: nothing, that is. */
export function faultsOf(
  before: readonly RecordedStep[],
  { trace, history, executed }: FinishedRun,
): readonly string[] {
  const kept = history.slice(0, before.length);
  const recorded = before.map(({ name, occurrence }) => `${name} ${occurrence}`);
  const again = executed.filter((step) => recorded.includes(step));
  const ids = history.map(({ name, occurrence }) => `${name} ${occurrence}`);
  const gap = history.findIndex(({ seq }, index) => seq !== index + 1);
  const swapped = history.findIndex((step, index) => trace[index] !== traceOf(step));
  return [
    ...(JSON.stringify(kept) === JSON.stringify(before) ? [] : ['the history was rewritten']),
    ...again.map((step) => `${step} was executed again`),
    ...(new Set(ids).size === ids.length ? [] : ['an operation was recorded twice']),
    ...(gap < 0 ? [] : [`record ${gap + 1} is missing`]),
    ...(swapped < 0 ? [] : [`result ${swapped + 1} was ${trace[swapped]}, recorded is ${traceOf(history[swapped])}`]),
  ];
}

function traceOf(step: RecordedStep | undefined): string {
  return step?.output === null || step === undefined ? 'sleep' : `${step.name}=${step.output}`;
}
