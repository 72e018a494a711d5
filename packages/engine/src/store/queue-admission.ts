// Admission: who of those in line in the queues may go, as the part of the claim statement that queues.ts puts in.
// Limits are exact over all processes, keys of a queue take turns, and queues without limits lock nothing.

import { int4Array, textArray } from './binary-arrays.js';

/** Those in line. The words of the index runs_ready, which the planner must find again. */
export const isReady = `r.status in ('queued', 'waiting') and r.slot = 'ready'`;

/** Of a workflow that the claimant hosts. Parameters: $2 names, $3 versions. */
export const isHosted = '(r.workflow, r.version) in (select * from unnest($2::text[], $3::text[]))';

// A window of keys per claim bounds what one claim costs, however many keys there are; the next one goes on behind it.
const sweptKeys = 200;

// A loose scan of runs_ready, so that a claim costs one index probe when nobody is in line, whatever the number of queues.
/** The common table expression of the queues with somebody in line. */
export const namesPart = `names (name) as (
     select (select r.queue from {schema}.runs r where ${isReady} order by r.queue limit 1)
     where exists (select from owner)
     union all
     select (select r.queue from {schema}.runs r where ${isReady} and r.queue > n.name order by r.queue limit 1)
     from names n
     where n.name is not null
   )`;

/** A loose scan over the keys with somebody in line of the queue `o`, from the one behind its cursor round to it. */
export const sweepOfKeys = `with recursive behind (key, step) as (
         select (select r.partition_key from {schema}.runs r
                 where ${isReady} and r.queue = o.name and r.partition_key > o.cursor order by r.partition_key limit 1), 1
         union all
         select (select r.partition_key from {schema}.runs r
                 where ${isReady} and r.queue = o.name and r.partition_key > b.key order by r.partition_key limit 1), b.step + 1
         from behind b
         where b.key is not null and b.step < ${sweptKeys}
       ), before (key, step) as (
         select (select r.partition_key from {schema}.runs r
                 where ${isReady} and r.queue = o.name order by r.partition_key limit 1), 1
         union all
         select (select r.partition_key from {schema}.runs r
                 where ${isReady} and r.queue = o.name and r.partition_key > b.key order by r.partition_key limit 1), b.step + 1
         from before b
         where b.key < o.cursor and b.step < ${sweptKeys}
       )
       select swept.key, row_number() over (order by swept.half, swept.step) as place
       from (select 1 as half, key, step from behind where key is not null
             union all
             select 2, key, step from before where key <= o.cursor) swept
       order by place
       limit ${sweptKeys}`;

// A claim that is still open keeps its runs to itself by locks. When its executor dies, they are free at once; but what killed it is
// kept from the others until that has been counted (open-claims.ts).
/** The common table expression of the runs that others execute before their claim is committed. Parameter: $1 the claimant. */
export const notedPart = `noted as materialized (
     select unnest(c.run_ids) as id from {schema}.open_claims c where c.executor <> $1::uuid
   )`;

// lines: the queues with somebody in line that this executor serves, as the statement's snapshot shows them.
// locked: limited queues are counted by one claim at a time. One that another claim is counting is skipped, so that it
//   holds up nobody. Lock order: the executor's row, queues, runs; none of these waits.
// open: a claim that began before another one committed has a snapshot without what that one admitted, although it got the lock
//   after it. But it reads the locked row as the other one left it, with `claims` counted up: then it takes nothing.
// candidates: of a queue without limits, whoever is not locked; that is how several claims share it. Of a limited one, which only one
//   claim is in, nobody behind somebody who is locked (a waiter that registers, a cancellation): the order is kept.
// chosen: one of each key, then another of each. `rank` makes queues take turns as well.
/** The common table expressions. Parameters: $4 room, $5 to $9 by `admissionColumns`; `owner`, `full_queues` and `due` are those of queues.ts. */
export const admissionParts = `${namesPart}, ${notedPart}, lines as materialized (
     select q.name, q.is_limited, q.claims, q.is_limited or q.executor_concurrency is not null as has_limits,
            coalesce(h.cursor, '') as cursor, q.executor_concurrency - coalesce(h.live, 0) as memory,
            least($4::int4, q.executor_concurrency - coalesce(h.live, 0)) as room
     from names n
     join {schema}.queues q on q.name = n.name
     left join unnest($6::text[], $7::int4[], $8::text[]) h (name, live, cursor) on h.name = q.name
     where not q.is_paused and ($5::text[] is null or q.name = any ($5::text[]))
   ), locked as materialized (
     select q.name, q.claims, q.concurrency, q.key_concurrency, q.rate_limit, q.is_rate_per_key,
            q.rate_per_ms * interval '1 millisecond' as rate_per
     from {schema}.queues q
     where q.name in (select l.name from lines l where l.is_limited and l.room > 0)
     for no key update of q skip locked
   ), open as materialized (
     select l.name, l.is_limited, l.cursor, l.memory, q.key_concurrency, q.is_rate_per_key, q.rate_limit, q.rate_per,
            rate.room as rate_room, rate.next_at,
            least(l.room, q.concurrency - held.runs, rate.room) as room
     from lines l
     left join locked q on q.name = l.name
     cross join lateral (
       select count(*)::int4 as runs
       from {schema}.runs r
       where q.concurrency is not null and r.queue = q.name and r.status in ('running', 'waiting') and r.slot = 'held'
     ) held
     cross join lateral (
       select case when q.rate_limit is not null and not q.is_rate_per_key
                   then q.rate_limit - coalesce(sum(a.runs), 0)::int4 end as room,
              coalesce(min(a.admitted_at), now()) + q.rate_per as next_at
       from {schema}.queue_admissions a
       where not q.is_rate_per_key and a.queue = q.name and a.partition_key = '' and a.admitted_at > now() - q.rate_per
     ) rate
     where l.room > 0 and (not l.is_limited or q.claims = l.claims)
   ), keys as materialized (
     select o.name, k.key, k.place, rate.room as rate_room, rate.next_at,
            coalesce(least(o.room, o.key_concurrency - held.runs, rate.room), 0) as room
     from open o
     cross join lateral (
       ${sweepOfKeys}
     ) k
     cross join lateral (
       select count(*)::int4 as runs
       from {schema}.runs r
       where o.key_concurrency is not null and r.queue = o.name and r.partition_key = k.key
         and r.status in ('running', 'waiting') and r.slot = 'held'
     ) held
     cross join lateral (
       select case when o.is_rate_per_key then o.rate_limit - coalesce(sum(a.runs), 0)::int4 end as room,
              coalesce(min(a.admitted_at), now()) + o.rate_per as next_at
       from {schema}.queue_admissions a
       where o.is_rate_per_key and a.queue = o.name and a.partition_key = k.key and a.admitted_at > now() - o.rate_per
     ) rate
     where o.room > 0
   ), shares as materialized (
     select k.name, o.is_limited, k.key, k.place, k.room,
            least(k.room, ceil(o.room::numeric / count(*) over (partition by k.name)))::int4 as share
     from keys k
     join open o on o.name = k.name
     where k.room > 0
   ), candidates as materialized (
     select s.name, s.key, c.id, c.status, c.is_free, row_number() over (partition by s.name order by c.turn, s.place) as rank
     from shares s
     cross join lateral (
       select first.id, first.status, row_number() over () as turn, true as is_free
       from (
         select r.id, r.status
         from {schema}.runs r
         where not s.is_limited and ${isReady} and r.queue = s.name and r.partition_key = s.key and ${isHosted}
           and r.id not in (select id from noted)
         order by r.priority, r.queue_position
         limit s.share
         for update of r skip locked
       ) first
       union all
       select head.id, mine.status, head.turn, bool_and(mine.id is not null) over (order by head.turn)
       from (
         select r.id, row_number() over (order by r.priority, r.queue_position) as turn
         from {schema}.runs r
         where s.is_limited and ${isReady} and r.queue = s.name and r.partition_key = s.key and ${isHosted}
           and r.id not in (select id from noted)
         order by r.priority, r.queue_position
         limit s.share
       ) head
       left join lateral (
         select r.id, r.status
         from {schema}.runs r
         where r.id = head.id and head.id || '' = head.id and r.status || '' in ('queued', 'waiting') and r.slot || '' = 'ready'
         for update of r skip locked
       ) mine on true
     ) c
   ), chosen as materialized (
     select c.id, c.status, c.name, c.key, c.rank
     from candidates c
     join open o on o.name = c.name
     where c.is_free and c.rank <= o.room
       and (o.memory is null or c.rank <= o.memory - (select count(*) from due d where d.queue = o.name))
     order by c.rank, c.name
     limit $4::int4 - (select count(*) from due)
   ), counted as (
     update {schema}.queues q
     set claims = q.claims + 1
     from (select distinct c.name from chosen c join open o on o.name = c.name where o.is_limited) c
     where q.name = c.name
     returning 1
   ), admitted as (
     insert into {schema}.queue_admissions (queue, partition_key, admitted_at, runs)
     select c.name, case when o.is_rate_per_key then c.key else '' end, now(), count(*)
     from chosen c
     join open o on o.name = c.name
     where o.rate_limit is not null
     group by 1, 2
     returning 1
   ), forgotten as (
     delete from {schema}.queue_admissions a
     using open o, lateral (
       select old.ctid
       from {schema}.queue_admissions old
       where old.queue = o.name and old.admitted_at <= now() - o.rate_per
       order by old.admitted_at
       limit ${2 * sweptKeys}
     ) old
     where a.ctid = old.ctid
     returning 1
   ), promoted as (
     update {schema}.runs r
     set slot = 'ready'
     from (
       select r.id
       from {schema}.runs r
       where r.status in ('queued', 'waiting') and r.slot = 'needed' and r.due_at <= now() and exists (select from owner)
       order by r.due_at
       limit 500
       for update of r skip locked
     ) d
     where r.id = d.id and d.id || '' = d.id
     returning 1
   ), turns as (
     select o.name, o.room, taken.runs as taken, seen.keys,
            coalesce(taken.last_key, case when seen.keys = ${sweptKeys} then seen.last_key end, o.cursor) as cursor,
            least(case when o.rate_room <= taken.runs then o.next_at end,
                  (select min(k.next_at) from keys k
                   where k.name = o.name
                     and k.rate_room <= (select count(*) from chosen c where c.name = k.name and c.key = k.key))) as next_at,
            exists (select from shares s
                    where s.name = o.name and s.share < s.room
                      and s.share = (select count(*) from chosen c where c.name = s.name and c.key = s.key)) as is_cut
     from open o
     cross join lateral (
       select count(*)::int4 as runs, (array_agg(c.key order by c.rank desc))[1] as last_key from chosen c where c.name = o.name
     ) taken
     cross join lateral (
       select count(*)::int4 as keys, (array_agg(k.key order by k.place desc))[1] as last_key from keys k where k.name = o.name
     ) seen
   )`;

/** What the claim says of the queues, beside the runs. */
export const admissionAnswer = `(select array_agg(t.name) from turns t) as queue_names,
          (select array_agg(t.cursor) from turns t) as queue_cursors,
          (select (extract(epoch from (min(t.next_at) - now())) * 1000)::float8 from turns t) as next_admission_in_ms,
          coalesce((select bool_or(l.has_limits) from lines l), false) or exists (select from full_queues)
            or exists (select from due d where d.is_limited) as has_limits,
          exists (select from promoted)
            or exists (select from turns t where t.taken < t.room and (t.is_cut or t.keys = ${sweptKeys})) as has_more,
          exists (select from lines l where l.room > 0 and l.name not in (select o.name from open o)) as is_contended`;

/** Somebody in line may go, but was locked. */
export const isPassedOver = `exists (select from candidates c where not c.is_free)
            or exists (
              select from shares s
              where not s.is_limited and s.share > (select count(*) from candidates c where c.name = s.name and c.key = s.key)
                and exists (
                  select from {schema}.runs r
                  where ${isReady} and r.queue = s.name and r.partition_key = s.key and ${isHosted}
                    and r.id not in (select c.id from candidates c)))`;

/** What an executor knows of itself when it asks. */
export interface Standing {
  /** The queues that it serves; undefined for all. */
  readonly serves: readonly string[] | undefined;
  /** Its runs of each queue that are in memory. */
  readonly live: ReadonlyMap<string, number>;
  /** The key of each queue that was served last. */
  readonly cursors: ReadonlyMap<string, string>;
  /** How many of the runs in line go before those without a queue. */
  readonly share: number;
}

/** The parameters from $5. */
export function admissionColumns({ serves, live, cursors, share }: Standing): readonly unknown[] {
  const names = [...new Set([...live.keys(), ...cursors.keys()])];
  return [
    serves === undefined ? null : textArray(serves),
    textArray(names),
    int4Array(names.map((name) => live.get(name) ?? 0)),
    textArray(names.map((name) => cursors.get(name) ?? '')),
    share,
  ];
}
