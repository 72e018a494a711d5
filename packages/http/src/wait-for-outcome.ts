// The outcome of a run for a client that waits for it, as long as it waits.

import { isFinal, isPerdureError, type Engine, type RunHandle, type RunInfo } from 'perdure';
import { longestTimerMs } from './read-options.js';

/** The end of a run. */
export type Outcome = Pick<RunInfo, 'status' | 'output' | 'error'>;

/** The end of a run if it comes in time; undefined when the time is up, the client has gone, or this process is closing. */
export async function waitForOutcome(
  engine: Engine,
  handle: RunHandle<unknown>,
  { waitMs, signal }: { readonly waitMs: number; readonly signal?: AbortSignal | undefined },
): Promise<Outcome | undefined> {
  if (signal?.aborted === true) return undefined;
  const ending = new AbortController();
  const end = (): void => ending.abort();
  const timer = setTimeout(end, Math.min(waitMs, longestTimerMs));
  signal?.addEventListener('abort', end, { once: true });
  try {
    const output = await handle.result({ signal: ending.signal });
    return { status: 'succeeded', output, error: undefined };
  } catch (error) {
    if (ending.signal.aborted || isPerdureError(error, 'ENGINE_CLOSED')) return undefined;
    // What it threw does not tell whether it failed or was cancelled.
    const run = await engine.runs.get(handle.id);
    if (run === undefined) throw error;
    return isFinal(run.status) ? run : undefined;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', end);
  }
}
