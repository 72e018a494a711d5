// The whole public surface of perdure.

export { createEngine, type CloseOptions, type Engine } from './api/engine.js';
export { workflow, contract, type WorkflowOptions, type WorkflowReference } from './api/workflow.js';
export { step, runStep, type StepOptions } from './api/step.js';
export { Step, Workflow, type StepDecorator, type StepMethodOptions, type WorkflowClass } from './api/decorators.js';
export {
  currentRun,
  currentStep,
  log,
  now,
  patched,
  random,
  sleep,
  sleepUntil,
  uuid,
  type CurrentRun,
} from './api/current.js';
export { startWorkflow, type Startable, type StartArguments, type StartOptions } from './api/start.js';
export type { ResultOptions, RunHandle } from './api/handle.js';
export type { CancelOptions, ResumeOptions, RunInfo, Runs, StepInfo } from './api/manage.js';
export type { ConnectionConfig, EngineOptions } from './api/options.js';
export type { StepContext } from './run/context.js';
export { printMigrations } from './store/migrate.js';
export type { RetryOptions } from './values/backoff.js';
export type { Duration } from './values/duration.js';
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
export type { StandardSchema } from './values/standard-schema.js';
export { isFinal, runStatuses, type FinalStatus, type RunStatus } from './values/status.js';
