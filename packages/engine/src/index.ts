// The whole public surface of perdure.

export { createEngine } from './api/create-engine.js';
export type { Engine } from './api/engine.js';
export { workflow, contract, type WorkflowOptions, type WorkflowReference } from './api/workflow.js';
export { implement } from './api/implement.js';
export { describeWorkflow, type WorkflowDescription } from './api/describe.js';
export { step, runStep, type Step as StepFunction, type StepOptions } from './api/step.js';
export {
  Step,
  stepNameOf,
  Workflow,
  workflowNameOf,
  type StepDecorator,
  type StepMethodOptions,
  type WorkflowClass,
  type WorkflowClassOptions,
  type WorkflowDecorator,
} from './api/decorators.js';
export {
  currentRun,
  currentStep,
  findCurrentRun,
  findCurrentStep,
  log,
  now,
  patched,
  random,
  sleep,
  sleepUntil,
  uuid,
  type CurrentRun,
} from './api/current.js';
export { queue, type PlaceOptions, type Queue, type QueueOptions } from './api/queue.js';
export type { MoveOptions, QueueInfo, Queues, WaitExplanation } from './api/queues.js';
export type { BulkStart } from './api/start-many.js';
export type { WaitReason } from './api/wait-reason.js';
export { startWorkflow, type Startable, type StartArguments, type StartOptions } from './api/start.js';
export { event, getEvent, setEvent, type Event, type GetEventOptions } from './api/event.js';
export {
  closeStream,
  stream,
  writeStream,
  type ReadStreamOptions,
  type Stream,
  type StreamChunk,
} from './api/stream.js';
export type { DriveOptions, DriveReport } from './api/drive.js';
export type { Idempotent } from './api/idempotency.js';
export type { RunChange, WatchOptions } from './api/watch.js';
export { receive, send, topic, type ReceiveOptions, type SendOptions, type Topic } from './api/topic.js';
export {
  pgSource,
  printTransactionSchema,
  runTransaction,
  type DataSourceOptions,
  type PgClient,
  type PgPool,
  type TransactionOptions,
} from './api/transaction.js';
export type { CallerTransaction, InTransaction } from './api/in-transaction.js';
export type { DataSource, Isolation } from './run/run-transaction.js';
export type { RawQuery } from './store/transactions.js';
export { schedule, type Schedule, type ScheduleArguments, type ScheduleOptions, type Tick } from './api/schedule.js';
export type { BackfillOptions, ScheduleInfo, Schedules } from './api/schedules.js';
export type { ResultOptions, RunHandle } from './api/handle.js';
export type { Health } from './api/health.js';
export type { ListOptions, RunPage } from './api/list.js';
export type { CancelOptions, DeleteOptions, ResumeOptions, Runs, StepsOptions } from './api/manage.js';
export type { RunInfo, RunSummary, StepInfo } from './api/run-info.js';
export type { CloseOptions, EngineOptions } from './api/options.js';
export type { ContextCarrier } from './run/carried-context.js';
export type { AroundStep, StepAttempt } from './run/around-step.js';
export type { StepContext } from './run/context.js';
export type { ReplayCheck } from './run/replay-check.js';
export type { ConnectionConfig } from './store/connection.js';
export { printMigrations } from './store/migrate.js';
export type { RetryOptions } from './values/backoff.js';
export { parseDuration, type Duration } from './values/duration.js';
export { refuseUnknown } from './values/unknown-options.js';
export { isControlFlow } from './values/control-flow.js';
export { isPerdureError, PerdureError, type ErrorCode } from './values/errors.js';
export type { ExecutorId, RunId } from './values/ids.js';
export {
  consoleLogger,
  silentLogger,
  type ConsoleLoggerOptions,
  type LogFields,
  type Logger,
  type LogLevel,
} from './values/logger.js';
export { validate, type StandardSchema } from './values/standard-schema.js';
export type { InputIssue } from './values/errors.js';
export { isFinal, runStatuses, type FinalStatus, type RunStatus } from './values/status.js';
