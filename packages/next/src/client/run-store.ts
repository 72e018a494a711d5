// Keeps the state of one run current, as long as somebody looks at it.

import { turnsOfPage, type ConnectionTurns, type Turn } from './connection-turns.js';
import { readEvents } from './event-stream.js';
import { PerdureRequestError, readRefusal } from './request-error.js';
import { afterEvents, unknownRun, type RunState } from './run-state.js';
import type { RunTypes } from './run-types.js';

/** A run to look at, as `useSyncExternalStore` takes it. */
export interface RunStore<Types extends RunTypes = RunTypes> {
  /** Calls back after every change. Connects with the first subscriber; the last one to leave ends it. */
  readonly subscribe: (onChange: () => void) => () => void;
  /** What is known now. The same object until the next change. */
  readonly getState: () => RunState<Types>;
}

/** How the store asks the server. */
export type Ask = (path: string, init: AskInit) => Promise<Response>;

/** What of a request the client sets. */
export interface AskInit {
  readonly method?: string;
  readonly body?: string;
  readonly signal?: AbortSignal;
  readonly headers: Readonly<Record<string, string>>;
}

// Proxies end streams for no reason: then it is tried again soon. While the server is away, less and less often.
const firstDelayMs = 250;
const longestDelayMs = 5_000;

/** Follows a run. What it has seen it keeps while nobody looks, and goes on behind it. */
export class LiveRun implements RunStore {
  readonly #ask: Ask;
  readonly #path: string;
  readonly #turns: ConnectionTurns;
  readonly #listeners = new Set<() => void>();
  #state: RunState;
  #position: string | undefined;
  #askedDelayMs: number | undefined;
  #connection: AbortController | undefined;

  constructor(ask: Ask, id: string, turns = turnsOfPage) {
    this.#ask = ask;
    this.#turns = turns;
    this.#path = `/runs/${encodeURIComponent(id)}/events`;
    this.#state = unknownRun(id);
  }

  readonly getState = (): RunState => this.#state;

  readonly subscribe = (onChange: () => void): (() => void) => {
    const listener = (): void => onChange(); // a function of its own, so that the same callback may come twice
    this.#listeners.add(listener);
    if (this.#connection === undefined && !this.#isOver()) this.#connect();
    return () => {
      this.#listeners.delete(listener);
      // React's strict mode leaves and comes back at once: that is no reason to connect anew.
      setTimeout(() => {
        if (this.#listeners.size === 0) this.#disconnect();
      });
    };
  };

  #connect(): void {
    const connection = new AbortController();
    this.#connection = connection;
    void this.#follow(connection.signal);
  }

  #disconnect(): void {
    this.#connection?.abort();
    this.#connection = undefined;
  }

  async #follow(signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted && !this.#isOver(); failures += 1) {
      if (failures > 0) await pause(this.#askedDelayMs ?? delayMs(failures), signal);
      const turn = await this.#turns.take(signal);
      try {
        if (await this.#read(turn)) failures = 0;
      } catch (error) {
        if (error instanceof PerdureRequestError) this.#change({ connection: 'refused', refusal: error });
      } finally {
        turn.end();
      }
      const isAway = !turn.signal.aborted && !this.#isOver();
      if (turn.signal.aborted) failures = -1; // others are waiting, and the next turn begins without a pause
      if (isAway && this.#state.connection !== 'reconnecting') this.#change({ connection: 'reconnecting' });
    }
  }

  // Whether anything was heard. Throws what the server refuses for good, and what fetch throws while it is away.
  async #read({ signal, heard }: Turn): Promise<boolean> {
    const headers = { accept: 'text/event-stream', ...(this.#position && { 'last-event-id': this.#position }) };
    const response = await this.#ask(this.#path, { headers, signal });
    if (response.status === 204) this.#change({ connection: 'ended' }); // there is nothing more to tell
    if (isTemporary(response.status) || response.body === null) return false;
    if (!response.ok) throw await readRefusal(response);
    let hasHeard = false;
    for await (const { events, retryMs } of readEvents(response.body)) {
      if (signal.aborted) break;
      hasHeard = true;
      heard();
      this.#askedDelayMs = retryMs ?? this.#askedDelayMs;
      this.#position = events.findLast(({ id }) => id !== undefined)?.id ?? this.#position;
      const next = afterEvents(this.#state, events);
      const connection = next.isFinal ? 'ended' : 'live';
      if (next !== this.#state || connection !== next.connection) this.#change({ ...next, connection });
    }
    return hasHeard;
  }

  #isOver(): boolean {
    return this.#state.connection === 'ended' || this.#state.connection === 'refused';
  }

  #change(change: Partial<RunState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener();
  }
}

// A server that is being replaced, or one that asks to come later.
function isTemporary(status: number): boolean {
  return status >= 500 || status === 408 || status === 425 || status === 429;
}

function delayMs(failures: number): number {
  const most = Math.min(longestDelayMs, firstDelayMs * 2 ** (failures - 1));
  return most * (0.5 + Math.random() / 2); // apart from the others that wait for the same server
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
  });
}
