// The only process-wide state of perdure, shared by every copy of the package (bundlers, ESM beside CommonJS), so that a
// step imported from one copy finds the run started by another. Versioned by its key.

import { AsyncLocalStorage } from 'node:async_hooks';

interface ProcessState {
  /** What the current code belongs to; run/context.ts knows its shape. */
  storage: AsyncLocalStorage<unknown>;
  /** Test hook, see @perdure/testing: called at named places, where a test may end the process. */
  crashPoint?: (name: string) => void;
}

const stateKey = Symbol.for('perdure/v1');

/** The state, made by whoever asks first. */
export function processState(): ProcessState {
  const holder = globalThis as { [stateKey]?: ProcessState };
  return (holder[stateKey] ??= { storage: new AsyncLocalStorage() });
}

/** A place where a test may end the process. A null check in production. */
export function crashPoint(name: string): void {
  const hook = processState().crashPoint;
  if (hook !== undefined) hook(name);
}
