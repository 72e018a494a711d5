// The errors of setting up: configuration, lifecycle, database, schema, registration, options.
// One half of the error table; error-table.ts joins both.

import { listed, row, shown } from './error-row.js';

export const setupErrors = {
  CONFIG_INVALID: row<{ faults: readonly string[] }>({
    httpStatus: 500,
    isRetryable: false,
    what: 'The configuration of the engine has faults. All of them are listed at once, and nothing has been started.',
    remedy: 'Correct every fault listed and launch again.',
    message: ({ faults }) =>
      `the configuration has ${faults.length} fault(s), so nothing was started: ${faults.map((fault) => fault.replace(/\.$/, '')).join('; ')}`,
  }),
  ENGINE_NOT_LAUNCHED: row<{ operation: string }>({
    httpStatus: 503,
    isRetryable: true,
    what: 'An operation that needs the database was called before `engine.launch()` had finished.',
    remedy: 'Await engine.launch() first.',
    message: ({ operation }) =>
      `${operation} was called before the engine was launched, so there is no connection to work with`,
  }),
  ENGINE_CLOSED: row<{ operation: string }>({
    httpStatus: 503,
    isRetryable: true,
    what: 'The engine is closing or closed and accepts no new work. Runs that it owned continue on other processes.',
    remedy: 'Send the request to another process, or create and launch a new engine.',
    message: ({ operation }) => `${operation} was called on a closed engine, which accepts no new work`,
  }),
  DATABASE_UNREACHABLE: row<{ target: string; reason: string }>({
    httpStatus: 503,
    isRetryable: true,
    what: 'No connection to Postgres could be made or kept. Nothing that was recorded before is lost.',
    remedy:
      'Check that the server runs, that the database exists, and that host, port, user and password are right. Once launched, the engine keeps trying.',
    message: ({ target, reason }) => `Postgres at ${target} cannot be reached (${reason}), so nothing can be recorded`,
  }),
  DATABASE_READ_ONLY: row<{ target: string }>({
    httpStatus: 503,
    isRetryable: true,
    what: 'The server answers but accepts no writes: it is a replica, or a failover is under way.',
    remedy: 'Connect to the primary, for instance with target_session_attrs=read-write and all hosts in the URL.',
    message: ({ target }) => `Postgres at ${target} is read-only, so nothing can be recorded`,
  }),
  DATABASE_REFUSED: row<{ reason: string }>({
    httpStatus: 500,
    isRetryable: false,
    what: 'Postgres refused a statement for a reason that a repetition does not change, such as a missing privilege.',
    remedy:
      'Read the cause of this error; grant the missing privilege (docs/operate/postgres.md lists all), or repair what it names.',
    message: ({ reason }) => `Postgres refused a statement (${reason}), and it would refuse it again`,
  }),
  SCHEMA_MISSING: row<{ schema: string; reason: string }>({
    httpStatus: 500,
    isRetryable: false,
    what: 'The tables of the engine are not in the database, or the role may not see them.',
    remedy: 'Launch once with a role that may create them, or have a DBA run what printMigrations() returns.',
    message: ({ schema, reason }) =>
      `the schema "${schema}" is not ready (${reason}), so there is nowhere to record runs`,
  }),
  SCHEMA_TOO_NEW: row<{ schema: string; found: number; supported: number }>({
    httpStatus: 500,
    isRetryable: false,
    what: 'A newer release has migrated the database in a way that this release cannot work with.',
    remedy: 'Upgrade perdure in this process to the release that migrated the database.',
    message: ({ schema, found, supported }) =>
      `the schema "${schema}" is at version ${found}, but this release knows up to ${supported} and could damage what it does not know`,
  }),
  MIGRATION_FAILED: row<{ migration: string; reason: string }>({
    httpStatus: 500,
    isRetryable: false,
    what: 'A migration did not finish. The schema stays at the version before it.',
    remedy: 'Read the cause of this error, remove it, and migrate again; what is already applied is skipped.',
    message: ({ migration, reason }) =>
      `migration ${migration} failed (${reason}), so the schema stays at the version before it`,
  }),
  WORKFLOW_UNKNOWN: row<{ workflow: string; known: readonly string[] }>({
    httpStatus: 404,
    isRetryable: false,
    what: 'No workflow of this name is registered on this engine.',
    remedy: 'Pass it in createEngine({ workflows }), call engine.register, or correct the name.',
    message: ({ workflow, known }) =>
      `workflow "${workflow}" is not registered on this engine, so it cannot be started here (known: ${listed(known)})`,
  }),
  WORKFLOW_DUPLICATE: row<{ workflow: string }>({
    httpStatus: 500,
    isRetryable: false,
    what: 'Two different definitions claim the same workflow name. The name is the identity of recorded runs.',
    remedy: 'Give one of them another name.',
    message: ({ workflow }) =>
      `workflow "${workflow}" is defined twice, so a recorded run would not know which code is its own`,
  }),
  NAME_INVALID: row<{ kind: string; name: string; reason: string }>({
    httpStatus: 400,
    isRetryable: false,
    what: 'A name of a workflow, step, queue or topic cannot be used. Names are recorded and must stay readable.',
    remedy: 'Use 1 to 255 printable characters.',
    message: ({ kind, name, reason }) => `${shown(name)} cannot be the name of a ${kind}: ${reason}`,
  }),
  OPTION_INVALID: row<{ option: string; value: unknown; reason: string }>({
    httpStatus: 400,
    isRetryable: false,
    what: 'An option has a value that it cannot have.',
    remedy: 'Correct the option; its documentation lists what it accepts.',
    message: ({ option, value, reason }) => `option ${option} cannot be ${shown(value)}: ${reason}`,
  }),
  QUEUE_UNKNOWN: row<{ queue: string; known: readonly string[] }>({
    httpStatus: 404,
    isRetryable: false,
    what: 'No queue of this name has been declared in the database.',
    remedy: 'Pass it in createEngine({ queues }) of any process, or correct the name.',
    message: ({ queue, known }) =>
      `there is no queue ${shown(queue)}, so nothing in it would ever start (known: ${listed(known)})`,
  }),
  QUEUE_DUPLICATE: row<{ queue: string }>({
    httpStatus: 500,
    isRetryable: false,
    what: 'Two different queues of one engine have the same name.',
    remedy: 'Give one of them another name, or share one definition.',
    message: ({ queue }) => `queue "${queue}" is defined twice, so it is open which limits hold`,
  }),
  QUEUE_LIMIT_CONFLICT: row<{ queue: string; reason: string }>({
    httpStatus: 400,
    isRetryable: false,
    what: 'Limits of a queue contradict each other.',
    remedy: 'Raise the overall limit or lower the narrower one.',
    message: ({ queue, reason }) => `the limits of queue "${queue}" contradict each other: ${reason}`,
  }),
  QUEUE_IN_USE: row<{ queue: string; runs: number }>({
    httpStatus: 409,
    isRetryable: true,
    what: 'A queue cannot be deleted while unfinished runs belong to it: nothing would ever start them.',
    remedy: 'Cancel them or let them finish, then delete the queue.',
    message: ({ queue, runs }) => `queue "${queue}" cannot be deleted: ${runs} unfinished run(s) belong to it`,
  }),
  DURATION_INVALID: row<{ value: unknown; what: string }>({
    httpStatus: 400,
    isRetryable: false,
    what: 'A duration cannot be understood, is negative, or is longer than 100,000 years.',
    remedy: "Use a number of milliseconds or text such as '500ms', '30s', '5m', '2 hours', '1h30m', '7d' or '2 weeks'.",
    message: ({ value, what }) => `${what} cannot be ${shown(value)}, which is no duration`,
  }),
  CRON_INVALID: row<{ cron: unknown; reason: string }>({
    httpStatus: 400,
    isRetryable: false,
    what: 'A cron pattern cannot be understood, or never comes due. Nothing was scheduled.',
    remedy:
      "Use five fields ('minute hour day month weekday'), six with seconds first, an alias as '@daily', or { every: '15m' }.",
    message: ({ cron, reason }) => `${shown(cron)} is no cron pattern: ${reason}`,
  }),
  SCHEDULE_NOT_FOUND: row<{ name: string }>({
    httpStatus: 404,
    isRetryable: false,
    what: 'No schedule has this name: it was never created, or it has been deleted.',
    remedy: 'Check the name with engine.schedules.list and the schema that this engine works in.',
    message: ({ name }) => `there is no schedule "${name}"`,
  }),
  SCHEDULE_EXISTS: row<{ name: string }>({
    httpStatus: 409,
    isRetryable: false,
    what: 'A schedule of this name exists, so creating it would replace what was set there.',
    remedy: 'Use engine.schedules.update to change it, or choose another name.',
    message: ({ name }) => `schedule "${name}" already exists, so it cannot be created`,
  }),
  DECORATOR_UNSUPPORTED: row<{ decorator: string; reason: string }>({
    httpStatus: 500,
    isRetryable: false,
    what: 'A decorator stands where it has no effect, so the code would run without being recorded.',
    remedy: 'Put @Workflow on a class with a run method, and @Step on a public instance method.',
    message: ({ decorator, reason }) => `@${decorator} cannot be used here: ${reason}`,
  }),
};
