// The whole public surface of @perdure/nestjs.

export { PerdureModule, type PerdureRootAsyncOptions, type PerdureRootOptions } from './perdure.module.js';
export type { EngineFactory, PerdureModuleExtras, PerdureModuleOptions, PerdureOptionsFactory } from './options.js';
export { Step, type StepMethodOptions } from 'perdure';
export {
  Scheduled,
  Workflow,
  type ScheduledDecorator,
  type ScheduledOptions,
  type When,
  type WorkflowOptions,
  type WorkflowProviderOptions,
} from './decorators.js';
export { dtoSchema, type DtoClass } from './dto-schema.js';
export { InjectEngine, InjectWorkflow } from './inject.js';
export { WorkflowRef, type AnyWorkflow, type InputOf, type OutputOf } from './workflow-ref.js';
export { getEngineToken, getWorkerToken, getWorkflowToken } from './tokens.js';
export { PerdureWorker } from './worker.js';
export type { RunRequest } from './run-invoker.js';
export { nestLogger, withRuns } from './nest-logger.js';
export { carryCls, carryStorage, type ClsLike } from './carriers.js';
export { PerdureHealthIndicator, type PerdureHealthResult } from './health.js';
export { bootFaults, type BootFaultCode } from './boot-faults.js';
