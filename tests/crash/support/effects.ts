// What steps did to the world, written down outside of the engine: one row per execution. The rows tell whether a step
// ran again after it had been recorded.

import { currentRun, currentStep } from 'perdure';
import { randomUUID } from 'node:crypto';
import type pg from 'pg';

/** Where steps note their executions. */
export const effectsTable = `
create table effects (
  id uuid primary key,
  run text not null,
  step text not null,
  attempt int not null,
  epoch int not null,
  pid int not null,
  at timestamptz not null default clock_timestamp()
)`;

// The id lets a note be repeated whose answer was lost.
const insertEffect = `
insert into effects (id, run, step, attempt, epoch, pid) values ($1, $2, $3, $4, $5, $6) on conflict do nothing
`;

/** Notes that the current step executes, however often the database has to be asked. */
export async function noteEffect(pool: pg.Pool): Promise<void> {
  const { id, epoch } = currentRun();
  const { name, attempt } = currentStep();
  const values = [randomUUID(), id, name, attempt, epoch, process.pid];
  for (;;) {
    const isNoted = await pool.query(insertEffect, values).then(
      () => true,
      () => false,
    );
    if (isNoted) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** An execution that should not have been. */
export interface Repetition {
  readonly run: string;
  readonly step: string;
  readonly attempt: number;
  readonly epoch: number;
  readonly why: string;
}

// A step's record carries the epoch under which it was recorded. An execution under a later epoch came after it. Within
// one claim, a step executes once per attempt. Steps of the test workflows have names of their own within a run.
const repeated = (schema: string): string => `
select e.run, e.step, e.attempt, e.epoch, 'recorded under epoch ' || s.epoch as why
from effects e
join ${schema}.steps s on s.run_id = e.run and s.name = e.step
where e.epoch > s.epoch
union all
select e.run, e.step, e.attempt, e.epoch, 'executed ' || count(*) || ' times in one claim'
from effects e
join ${schema}.runs r on r.id = e.run
group by e.run, e.step, e.attempt, e.epoch
having count(*) > 1
`;

/** Executions of steps after they had been recorded, and twice in one claim. Should be none, whatever happened. */
export async function findRepetitions(
  db: { query<Row extends pg.QueryResultRow>(sql: string): Promise<Row[]> },
  schema = 'perdure',
): Promise<Repetition[]> {
  return db.query<pg.QueryResultRow & Repetition>(repeated(schema));
}

// For tests in which no owner dies and no connection is lost: then at least once is exactly once.
const repeatedAtAll = `
select run, step, attempt, max(epoch) as epoch, 'executed ' || count(*) || ' times' as why
from effects
group by run, step, attempt
having count(*) > 1
`;

/** Every execution but the first of its step and attempt. */
export async function findSecondExecutions(db: {
  query<Row extends pg.QueryResultRow>(sql: string): Promise<Row[]>;
}): Promise<Repetition[]> {
  return db.query<pg.QueryResultRow & Repetition>(repeatedAtAll);
}
