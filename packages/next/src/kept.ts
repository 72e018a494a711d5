// What outlives a module: Next evaluates the same file once per entry point (routes, instrumentation, pages), and again at each
// hot reload, all in one process. The engine and all that must be closed with it are kept beside the process-wide state of
// perdure, under the engine's name. Nothing else of this package is kept anywhere.

import { AsyncLocalStorage } from 'node:async_hooks';
import type { HttpHandler } from '@perdure/http';
import type { Engine } from 'perdure';
import type { NextOptions } from './options.js';

/** One engine of the process, whichever copy of the application's files asks for it. */
export interface Kept {
  /** As the last evaluation of the file gave them. */
  options: NextOptions;
  /** Undefined before `boot`, and after `close`. */
  boot: Boot | undefined;
  /** The engine, while it is launched. */
  engine: Engine | undefined;
  /** The protocol's handlers of all routes, whose streams must end before the server can. */
  readonly handlers: Set<HttpHandler>;
}

/** One boot of an engine. */
export interface Boot {
  readonly engine: Promise<Engine>;
  /** Aborted when the engine is closed: a boot that still waits for its database ends then. */
  readonly ending: AbortController;
  /** Set by `close`: the next `boot` is another one. Until its engine has drained, this one serves what is under way. */
  isLeaving: boolean;
}

/** Everything that is kept, by all engines together. */
interface KeptState {
  readonly engines: Map<string, Kept>;
  /** Whether signals end in a drain already. */
  drainsOnSignals: boolean;
}

const stateKey = Symbol.for('perdure/v1');

/** The engine of this name; made by whoever asks first. */
export function keep(name: string, options: NextOptions): Kept {
  const { engines } = keptState();
  const found = engines.get(name);
  if (found !== undefined) {
    found.options = options;
    return found;
  }
  const kept: Kept = { options, boot: undefined, engine: undefined, handlers: new Set() };
  engines.set(name, kept);
  return kept;
}

/** What is kept in this process. */
export function keptState(): KeptState {
  const holder = globalThis as { [stateKey]?: { storage: unknown; next?: KeptState } };
  // The engine makes it in the same form, when it is asked first.
  const state = (holder[stateKey] ??= { storage: new AsyncLocalStorage() });
  return (state.next ??= { engines: new Map(), drainsOnSignals: false });
}
