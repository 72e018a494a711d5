// What of a batch is in the database: asked after a batch whose answer was lost, or that was refused in part.

import type { ExecutorId, RunId } from '../values/ids.js';
import { findStatus, type RunStatus } from '../values/status.js';
import type { BatchRows, CheckpointRow, StartRow } from './batch.js';
import { int4Array, textArray } from './binary-arrays.js';
import { findText, readNumber, readText, statement, type Queryable } from './sql.js';

/** The state in the database of the runs and steps that a batch speaks of. */
export interface Written {
  findRun(id: RunId): WrittenRun | undefined;
  /** Whether the place of a checkpoint in its history is taken, by its own epoch or by another. */
  findStep(checkpoint: CheckpointRow): 'own' | 'foreign' | undefined;
}

/** A run as it stands. */
export interface WrittenRun {
  readonly epoch: number;
  readonly status: RunStatus;
  readonly executor: string | undefined;
  readonly workflow: string;
  readonly createdAtMs: number;
}

// Index: primary key of runs.
const selectRuns = statement(
  'written_runs',
  `select id, epoch, status, executor::text as executor, workflow,
          (extract(epoch from created_at) * 1000)::float8 as created_at_ms
   from {schema}.runs
   where id = any ($1::text[])`,
);

// Index: primary key of steps, one lookup per checkpoint.
const selectSteps = statement(
  'written_steps',
  `select s.run_id, s.seq, s.epoch
   from unnest($1::text[], $2::int4[]) c (run_id, seq)
   join {schema}.steps s on s.run_id = c.run_id and s.seq = c.seq
   where c.run_id || '' = c.run_id`,
);

/** Reads what is written. Only true once the batch can no longer be in flight: after its answer, or under a new connection. */
export async function findWritten(db: Queryable, rows: BatchRows): Promise<Written> {
  const ids = new Set<RunId>([
    ...rows.starts.map((s) => s.id),
    ...rows.checkpoints.map((c) => c.runId),
    ...rows.outcomes.map((o) => o.runId),
  ]);
  const runRows = await db.query(selectRuns, [textArray([...ids])]);
  const stepRows = await db.query(selectSteps, [
    textArray(rows.checkpoints.map((c) => c.runId)),
    int4Array(rows.checkpoints.map((c) => c.seq)),
  ]);
  const runs = new Map<string, WrittenRun>(
    runRows.map((row) => [
      readText(row, 'id'),
      {
        epoch: readNumber(row, 'epoch'),
        status: findStatus(readText(row, 'status')) ?? 'paused',
        executor: findText(row, 'executor'),
        workflow: readText(row, 'workflow'),
        createdAtMs: readNumber(row, 'created_at_ms'),
      },
    ]),
  );
  const epochs = new Map(
    stepRows.map((row) => [stepKey(readText(row, 'run_id'), readNumber(row, 'seq')), readNumber(row, 'epoch')]),
  );
  return {
    findRun: (id) => runs.get(id),
    findStep: ({ runId, seq, epoch }) => {
      const found = epochs.get(stepKey(runId, seq));
      if (found === undefined) return undefined;
      return found === epoch ? 'own' : 'foreign';
    },
  };
}

/**
 * How a run comes to be there. `exists`: by somebody who chose the same id, or by an earlier start of this executor, whose run may have
 * finished; the time of the start tells, which the writer chose. `queued`: by this very start, but not to be run here, or no longer.
 */
export function startOf(run: WrittenRun, start: StartRow, executor: ExecutorId): 'recorded' | 'queued' | 'exists' {
  if (run.createdAtMs !== start.createdAtMs || run.workflow !== start.workflow) return 'exists';
  return !start.isOwned || (run.epoch === 1 && run.executor === executor) ? 'recorded' : 'queued';
}

function stepKey(runId: string, seq: number): string {
  return `${seq} ${runId}`;
}
