// The errors of running: runs, steps, replay, payloads.
// One half of the error table; error-table.ts joins both.

import { row, shown } from './error-row.js';

export interface InputIssue {
  /** Where in the value, as `$.order.items[3]`. */
  readonly path: string;
  /** The same as a JSON pointer in a URI fragment (RFC 6901): `#/order/items/3`. */
  readonly pointer?: string;
  readonly message: string;
}

export const runErrors = {
  RUN_ID_INVALID: row<{ id: string; reason: string }>({
    httpStatus: 400,
    isRetryable: false,
    what: 'A run id chosen by the caller cannot be used. Ids appear in URLs, logs and SQL.',
    remedy: 'Use 1 to 512 printable characters.',
    message: ({ id, reason }) => `${shown(id)} cannot be the id of a run: ${reason}`,
  }),
  RUN_ID_CONFLICT: row<{ id: string; workflow: string; existing: string }>({
    httpStatus: 409,
    isRetryable: false,
    what: 'The id already belongs to a run of another workflow, so returning that run would be wrong.',
    remedy: 'Make ids distinct per workflow, for instance by a prefix.',
    message: ({ id, workflow, existing }) =>
      `run "${id}" of workflow "${workflow}" cannot start: the id belongs to a run of "${existing}"`,
  }),
  RUN_EXISTS: row<{ id: string; workflow: string }>({
    httpStatus: 409,
    isRetryable: false,
    what: "A run of this id exists, and the start must not share it: it asked for `onDuplicate: 'reject'`, or the id is that of a child and others have started the run, or an earlier run of the parent's id that was deleted without its children.",
    remedy: 'Use the existing run, or choose another id.',
    message: ({ id, workflow }) =>
      `run "${id}" of workflow "${workflow}" already exists by another start, and this one must not share it`,
  }),
  DEDUP_CONFLICT: row<{ id: string; existing: string; queue: string; dedupKey: string }>({
    httpStatus: 409,
    isRetryable: true,
    what: "An unfinished run of the queue has the dedup key, and the start asked for `onDuplicate: 'reject'` or is of another workflow.",
    remedy: 'Use the existing run, wait until it has finished, or choose another dedup key.',
    message: ({ id, existing, queue, dedupKey }) =>
      `run ${shown(id)} was not started: run ${shown(existing)} holds the dedup key ${shown(dedupKey)} in queue "${queue}"`,
  }),
  RUN_NOT_FOUND: row<{ id: string }>({
    httpStatus: 404,
    isRetryable: false,
    what: 'No run has this id: it was never started, its transaction was rolled back, or retention has removed it.',
    remedy: 'Check the id and the schema that this engine works in.',
    message: ({ id }) => `there is no run "${id}"`,
  }),
  RUN_CANCELLED: row<{ id: string }>({
    httpStatus: 409,
    isRetryable: false,
    what: 'The run was cancelled. Awaiting its result throws this; its own code is told by the signals of its steps alone.',
    remedy: 'Nothing has to be done; engine.runs.resume continues it after its last recorded step.',
    message: ({ id }) => `run "${id}" was cancelled, so it has no result`,
  }),
  RUN_TIMED_OUT: row<{ id: string; timeoutMs: number }>({
    httpStatus: 504,
    isRetryable: false,
    what: 'The run did not finish within its timeout and was ended.',
    remedy: 'Raise the timeout of the workflow or of the start, or find the step that takes so long.',
    message: ({ id, timeoutMs }) => `run "${id}" did not finish within ${timeoutMs} ms and was ended`,
  }),
  RUN_CRASH_LIMIT: row<{ id: string; limit: number }>({
    httpStatus: 500,
    isRetryable: false,
    what: 'The processes that ran this run died too often. It was stopped before it could take down more of them.',
    remedy: 'Find what ends the process (memory, a native crash), then engine.runs.resume.',
    message: ({ id, limit }) =>
      `run "${id}" lost its process ${limit} times in a row and was stopped before it could take down more`,
  }),
  RUN_STATE_CONFLICT: row<{ id: string; status: string; action: string }>({
    httpStatus: 409,
    isRetryable: false,
    what: 'The action is not possible in the state that the run is in.',
    remedy: 'Read the state of the run with engine.runs.get and choose an action that it allows.',
    message: ({ id, status, action }) => `run "${id}" is ${status}, so it cannot ${action}`,
  }),
  START_UNCONFIRMED: row<{ id: string; reason: string }>({
    httpStatus: 503,
    isRetryable: true,
    what: 'The database went away while a start was being recorded, so nobody knows whether the run exists.',
    remedy: 'Start again with the same id: if the run exists you get it, and it runs only once.',
    message: ({ id, reason }) => `the start of run "${id}" was not confirmed (${reason}), so it may or may not exist`,
  }),
  TRANSACTION_UNUSABLE: row<{ reason: string }>({
    httpStatus: 500,
    isRetryable: false,
    what: 'The transaction that a start, a message or the result of a step was to be part of cannot take it. Nothing was written.',
    remedy:
      "Pass the client on which you have said 'begin', or use() of a data source with the ORM's transaction, before it ends.",
    message: ({ reason }) => `the given transaction cannot be written in: ${reason}`,
  }),
  STEP_RETRIES_EXHAUSTED: row<{ step: string; attempts: number }>({
    httpStatus: 500,
    isRetryable: false,
    what: 'Every attempt of a step failed. `cause` is the last error, `errors` has one per attempt.',
    remedy: 'Read the cause; raise retry.maxAttempts if time would have helped.',
    message: ({ step, attempts }) => `step "${step}" failed in each of its ${attempts} attempts`,
  }),
  STEP_TIMED_OUT: row<{ step: string; timeoutMs: number }>({
    httpStatus: 504,
    isRetryable: true,
    what: 'An attempt of a step took longer than its timeout. Its AbortSignal fired; what it did outside may still take effect.',
    remedy: 'Raise the timeout, or pass the AbortSignal on so that the work ends in time.',
    message: ({ step, timeoutMs }) => `step "${step}" did not finish within ${timeoutMs} ms`,
  }),
  STEP_ABORTED: row<{ step: string; reason: string }>({
    httpStatus: 503,
    isRetryable: true,
    what: 'The step was cut short because its run was cancelled, paused or taken over, or the engine closed.',
    remedy: 'Nothing has to be done: the run, if it continues, runs the step again.',
    message: ({ step, reason }) =>
      `${step === '*' ? 'the step' : `step "${step}"`} was cut short (${reason}), and nothing of it was recorded`,
  }),
  NONDETERMINISM: row<{ id: string; workflow: string; expected: string; found: string }>({
    httpStatus: 500,
    isRetryable: false,
    what: 'On replay the code asked for another step than the one recorded, so its history no longer fits the code.',
    remedy:
      'Restore the order of steps, or guard the change (patched, formerly, a version), and resume the run; or resume it with acceptNewSteps.',
    message: ({ id, workflow, expected, found }) =>
      `run "${id}" of workflow "${workflow}" recorded ${expected} here, but the code now asks for ${found}`,
  }),
  NOT_IN_RUN: row<{ operation: string }>({
    httpStatus: 500,
    isRetryable: false,
    what: 'A function that acts on the current run was called outside any run.',
    remedy: 'Call it inside a workflow, or use the method of the same name on the engine.',
    message: ({ operation }) => `${operation} acts on the current run, but was called outside of one`,
  }),
  IN_STEP: row<{ operation: string; step: string }>({
    httpStatus: 500,
    isRetryable: false,
    what: 'A durable operation was called inside a step. A step is recorded as one result, so the operation would be lost on replay.',
    remedy: 'Move the call from the step into the workflow.',
    message: ({ operation, step }) => `${operation} was called inside step "${step}", where it could not be replayed`,
  }),
  WORKFLOW_CALLED_OUTSIDE_RUN: row<{ workflow: string }>({
    httpStatus: 500,
    isRetryable: false,
    what: 'A workflow was called like a function outside any run. That call would not be durable.',
    remedy: 'Use engine.startWorkflow and await the result of its handle.',
    message: ({ workflow }) =>
      `workflow "${workflow}" was called as a function outside of a run, so nothing would be recorded`,
  }),
  STREAM_CLOSED: row<{ stream: string; id: string }>({
    httpStatus: 409,
    isRetryable: false,
    what: 'The run wrote to a stream that it had closed. Readers have seen the end and are gone.',
    remedy: 'Close the stream after the last write, once.',
    message: ({ stream, id }) => `run "${id}" cannot write to stream "${stream}": it has closed it`,
  }),
  READ_TIMED_OUT: row<{ stream: string; id: string; timeoutMs: number }>({
    httpStatus: 504,
    isRetryable: true,
    what: 'A reader of a stream waited longer than its timeout for the next chunk. The run itself is not affected.',
    remedy: 'Read on from the next position, or allow more time.',
    message: ({ stream, id, timeoutMs }) =>
      `nothing was written to stream "${stream}" of run "${id}" for ${timeoutMs} ms`,
  }),
  UNSERIALIZABLE: row<{ what: string; path: string; type: string; isResult?: true }>({
    httpStatus: 400,
    isRetryable: false,
    what: 'A value cannot be stored without losing something, such as a function, a class instance or a cycle.',
    remedy:
      'Pass plain data (for a class instance a plain copy, or give it toJSON), or keep the value out of what is recorded.',
    message: ({ what, path, type }) => `${what} has ${type} at ${path}, which cannot be recorded`,
  }),
  PAYLOAD_TOO_LARGE: row<{ what: string; bytes: number; limit: number; isResult?: true }>({
    httpStatus: 413,
    isRetryable: false,
    what: 'An input, result or message is larger than the limit. Large rows slow down every run in the database.',
    remedy: 'Store it elsewhere (a file, a table of your own) and pass a reference, or raise the limit.',
    message: ({ what, bytes, limit }) => `${what} has ${bytes} bytes, more than the limit of ${limit}`,
  }),
  PAYLOAD_CORRUPT: row<{ what: string; reason: string }>({
    httpStatus: 500,
    isRetryable: false,
    what: 'A recorded value cannot be read back: it was changed by hand, or written by a newer release.',
    remedy: 'Compare the row with what perdure documents as its format, or upgrade this process.',
    message: ({ what, reason }) => `${what} cannot be read back: ${reason}`,
  }),
  INPUT_INVALID: row<{ what: string; issues: readonly InputIssue[] }>({
    httpStatus: 422,
    isRetryable: false,
    what: 'A value does not fit its schema. `details.issues` has every fault with its path.',
    remedy: 'Correct the value at the paths listed.',
    message: ({ what, issues }) => `${what} does not fit its schema: ${issuesInWords(issues)}`,
  }),
  EXECUTOR_FENCED: row<{ executor: string }>({
    httpStatus: 503,
    isRetryable: true,
    what: 'Other processes took this executor for dead and took over its runs, so it may record nothing any more.',
    remedy:
      'Nothing has to be done: the runs continue elsewhere. If it recurs, look for a blocked event loop or a slow database.',
    message: ({ executor }) =>
      `executor ${executor} was taken for dead and its runs were taken over, so it may record nothing more`,
  }),
};

function issuesInWords(issues: readonly InputIssue[]): string {
  const words = issues.slice(0, 5).map(({ path, message }) => `${path}: ${message}`);
  if (issues.length > words.length) words.push(`and ${issues.length - words.length} more`);
  return words.join('; ');
}
