'use client';
// A run in a React component.

import { useMemo, useSyncExternalStore } from 'react';
import { createPerdureClient, type PerdureClient } from './client.js';
import { unknownRun, type RunState } from './run-state.js';
import type { RunStore } from './run-store.js';
import type { RunTypes } from './run-types.js';

/** Options of the hook. */
export interface UseRunOptions {
  /** Where the routes are mounted. Default: `/api/perdure`. */
  readonly basePath?: string | undefined;
  /** A client with headers of its own, made outside of the component. In place of `basePath`. */
  readonly client?: PerdureClient | undefined;
}

/**
 * A run as it stands, live: its status, events, streams, and result. Survives what the connection goes through: a reload of the page and a
 * restart of the server go on where it was. On the server, and in the first render of the browser, nothing is known yet. Without
 * an id it is idle. Holds a connection until the run is over; over HTTP/1.1, more than four on a page take turns.
 *
 * @example
 * const run = useRun<{ workflow: typeof indexDocument; events: { progress: typeof progress } }>(id);
 * return <progress value={run.events.progress?.done} max={run.events.progress?.total} />;
 */
export function useRun<Types extends RunTypes = RunTypes>(
  id: string | undefined,
  { basePath, client }: UseRunOptions = {},
): RunState<Types> {
  const run = useMemo<RunStore<Types> & { readonly atFirst: () => RunState<Types> }>(() => {
    const first = unknownRun(id) as RunState<Types>;
    const atFirst = (): RunState<Types> => first;
    if (id === undefined) return { subscribe: () => () => undefined, getState: atFirst, atFirst };
    const { subscribe, getState } = (client ?? createPerdureClient({ basePath })).watch<Types>(id);
    return { subscribe, getState, atFirst };
  }, [id, basePath, client]);
  return useSyncExternalStore(run.subscribe, run.getState, run.atFirst);
}
