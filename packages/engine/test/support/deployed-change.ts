// A run in flight whose code changes under it: it executes the old code until it parks, and goes on with the new code.

import { waitFor } from '@perdure/testing';
import { runStep, workflow, type Engine, type RunInfo, type Workflow } from '../../src/index.js';
import type { EngineDatabase } from './test-engine.js';

/** Workflow code that reports its steps: `step` runs one that only notes its name. */
export type NotedCode = (step: (name: string, formerly?: string) => Promise<string>) => Promise<unknown>;

export interface Deployed {
  readonly engine: Engine;
  readonly id: string;
  /** The steps that were executed, old code and new. */
  readonly executed: readonly string[];
  /** Resolves when the run is in this state, and has been claimed since `epoch`. */
  reaches(status: RunInfo['status'], sinceEpoch?: number): Promise<RunInfo>;
  /** Deploys other code and lets an hour pass for the run; resolves when it goes on with that code, or is paused. */
  deploy(code: NotedCode): Promise<void>;
}

/** Starts a run of the code, which must come to a sleep of an hour, and waits until it is parked. */
export async function startUntilParked(db: EngineDatabase, name: string, code: NotedCode): Promise<Deployed> {
  const executed: string[] = [];
  const note = (step: string, formerly?: string): Promise<string> => {
    const options = formerly === undefined ? {} : { formerly };
    return runStep(step, () => `${step} ${executed.push(step)}`, options);
  };
  const defined = (noted: NotedCode): Workflow<void, unknown> => workflow(name, () => noted(note));
  const engine = await db.launchEngine({ workflows: [defined(code)], pollInterval: '50ms' });
  const { id } = await engine.startWorkflow(defined(code));
  const reaches = async (status: RunInfo['status'], sinceEpoch = 0): Promise<RunInfo> =>
    waitFor(() => engine.runs.get(id), {
      what: `run ${id} to be ${status}`,
      until: (run) => run?.status === status && run.epoch > sinceEpoch,
    });
  await reaches('waiting');
  const deploy = async (next: NotedCode): Promise<void> => {
    engine.register(defined(next));
    const { status, epoch = 0 } = (await engine.runs.get(id)) ?? {};
    if (status === 'waiting') await letAnHourPass(db, id);
    const isClaimed = (run?: RunInfo): boolean => status !== 'waiting' || (run?.epoch ?? 0) > epoch;
    await waitFor(() => engine.runs.get(id), { what: `run ${id} to be claimed`, until: isClaimed });
  };
  return { engine, id, executed, reaches, deploy };
}

/** Moves the past of a parked run into the past by an hour and a bit. */
async function letAnHourPass(db: EngineDatabase, id: string): Promise<void> {
  await db.query(
    `update perdure.steps set started_at = started_at - interval '61 minutes', finished_at = finished_at - interval '61 minutes' where run_id = $1`,
    [id],
  );
  await db.query(
    `update perdure.runs set started_at = started_at - interval '61 minutes', due_at = now() where id = $1`,
    [id],
  );
}
