// What a test puts in the place of steps, or does right behind one. Stands around every attempt of a step (`aroundStep`).

import { PerdureError, type AroundStep, type StepAttempt } from 'perdure';

/** A step, or the name of one. A step made by `step` has its name as a function. */
export type StepReference = string | { readonly name: string };

/** What stands in the place of a step. */
export interface StepMock {
  /** The attempts that came here instead, with their arguments. */
  readonly calls: readonly StepAttempt[];
  /** Puts the step in its place again. */
  restore(): void;
}

interface Replacement {
  readonly calls: StepAttempt[];
  readonly call: (...args: readonly unknown[]) => unknown;
}

/**
 * The mocks of one test. `createTestEngine` has its own; an engine that something else makes takes part by its option `aroundStep`.
 *
 * @example
 * const mocks = new StepMocks();
 * const engine = createEngine({ database, workflows: [checkout], aroundStep: mocks.around() });
 * mocks.replace('charge', () => ({ id: 'test-payment' }));
 */
export class StepMocks {
  readonly #replacements = new Map<string, Replacement>();
  readonly #acts = new Map<string, (attempt: StepAttempt) => Promise<void>>();

  /** Calls `call` in the place of a step from now on; the one before is put away. Throws OPTION_INVALID. */
  replace(step: StepReference, call: Replacement['call']): StepMock {
    const name = nameOf(step);
    if (typeof call !== 'function') throw invalid('call', call, `give a function for the step "${name}"`);
    const replacement: Replacement = { calls: [], call };
    this.#replacements.set(name, replacement);
    const restore = (): void => {
      if (this.#replacements.get(name) === replacement) this.#replacements.delete(name);
    };
    return { calls: replacement.calls, restore };
  }

  /** Does something once, when an attempt of a step has ended and before its result counts. */
  onceBehind(step: StepReference, act: (attempt: StepAttempt) => Promise<void>): void {
    this.#acts.set(nameOf(step), act);
  }

  /** For an engine's `aroundStep`; `inner` is what stands there without mocks. */
  around(inner: AroundStep = (_attempt, body) => body()): AroundStep {
    return async (attempt, body) => {
      try {
        const replacement = this.#replacements.get(attempt.step);
        if (replacement === undefined) return await inner(attempt, body);
        replacement.calls.push(attempt);
        return await replacement.call(...attempt.args);
      } finally {
        const act = this.#acts.get(attempt.step);
        this.#acts.delete(attempt.step);
        await act?.(attempt);
      }
    };
  }
}

// What is no step would never be reached: the test would go on with the real one.
function nameOf(step: StepReference): string {
  const name: unknown = typeof step === 'string' ? step : Reflect.get(Object(step), 'name');
  if (typeof name === 'string' && name !== '') return name;
  throw invalid('step', step, 'give a step, or its name');
}

function invalid(option: string, value: unknown, reason: string): PerdureError {
  return new PerdureError('OPTION_INVALID', { option, value, reason });
}
