// Histories as raw material: read them, and give a run's past to another run.

import type { EngineDatabase } from './test-engine.js';

/** A recorded operation, as the database holds it. */
export interface RecordedStep extends Record<string, unknown> {
  readonly seq: number;
  readonly name: string;
  readonly occurrence: number;
  readonly output: string | null;
}

/** The recorded operations of a run, in order. */
export function historyOf(db: EngineDatabase, id: string): Promise<RecordedStep[]> {
  return db.query<RecordedStep>(
    `select seq, name, occurrence, kind, output, error from perdure.steps where run_id = $1 order by seq`,
    [id],
  );
}

/**
 * Makes a run that stands where `id` stood when it had recorded so many operations and its process died: as checkpoints
 * commit in order, that is every state that a crash can leave. It is due, and goes on wherever it is claimed.
 */
export async function copyRun(db: EngineDatabase, id: string, copyId: string, length: number): Promise<void> {
  await db.query(
    `insert into perdure.steps
     select $2, seq, name, occurrence, kind, epoch, output, error, child_id, started_at, finished_at
     from perdure.steps where run_id = $1 and seq <= $3`,
    [id, copyId, length],
  );
  await db.query(
    `insert into perdure.runs (id, workflow, version, status, epoch, due_at, input, created_at, started_at)
     select $2, workflow, version, 'waiting', 1, now(), input, created_at, started_at from perdure.runs where id = $1`,
    [id, copyId],
  );
}
