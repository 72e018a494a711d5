// Runs that wait, and have left memory.

import { waitFor } from '@perdure/testing';
import { workflow, type Engine, type RunInfo, type Workflow } from '../../src/index.js';

/** Resolves when the run is parked. */
export function parked(engine: Engine, id: string): Promise<RunInfo> {
  const until = (run: RunInfo | undefined): boolean => run?.status === 'waiting';
  return waitFor(() => engine.runs.get(id), { what: `run ${id} to park`, until });
}

/** A run that awaits the result of the run `target`, by its id. */
export function awaiting(name: string, engine: () => Engine): Workflow<string, unknown> {
  return workflow(name, (target: string) => engine().getHandle(target).result());
}
