// Runs that nobody can claim, because no live executor hosts their workflow in its version, or serves their queue, or because their
// queue is gone: it was deleted while they were being started.

import { findText, readNumber, readText, statement, type Queryable } from './sql.js';

// Rides runs_due and runs_ready. What no live executor takes would wait for ever without a word.
const countStranded = statement(
  'count_stranded',
  `select r.workflow, r.version, r.queue, count(*)::int4 as runs
   from (
     (select workflow, version, null as queue from {schema}.runs
      where status in ('queued', 'waiting') and (slot is null or slot = 'held') and due_at <= now() - interval '1 second'
      order by due_at limit 10000)
     union all
     (select workflow, version, queue from {schema}.runs
      where status in ('queued', 'waiting') and slot = 'ready' and due_at <= now() - interval '1 second'
      order by queue, partition_key, priority, queue_position limit 10000)
   ) r
   where not exists (
     select from {schema}.executors e
     where e.dead_at is null
       and case when r.version = '' then r.workflow else r.workflow || '@' || r.version end = any (e.workflows)
       and (r.queue is null or (e.queues is null or r.queue = any (e.queues))
                               and exists (select from {schema}.queues q where q.name = r.queue)))
   group by r.workflow, r.version, r.queue`,
);

/** Due runs that no live executor can take, counted among 10,000 without a queue and 10,000 in line. */
export interface StrandedRuns {
  readonly workflow: string;
  readonly version: string;
  /** The queue that they are in line of. */
  readonly queue: string | undefined;
  readonly runs: number;
}

export async function findStranded(db: Queryable): Promise<readonly StrandedRuns[]> {
  return (await db.query(countStranded, [])).map((row) => ({
    workflow: readText(row, 'workflow'),
    version: readText(row, 'version'),
    queue: findText(row, 'queue'),
    runs: readNumber(row, 'runs'),
  }));
}
