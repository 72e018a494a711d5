// The closed table of what can be wrong with an application's workflows when it boots. All faults are told at once, in one
// CONFIG_INVALID, each with what to do.

import { isPerdureError, PerdureError } from 'perdure';

interface FaultRow<Details> {
  /** What is wrong, with the values, and why it matters. */
  readonly message: (details: Details) => string;
  readonly remedy: string;
}

function row<Details>(faultRow: FaultRow<Details>): FaultRow<Details> {
  return faultRow;
}

/** Every fault, by its code. docs/reference/nestjs.md lists the same. */
export const bootFaults = {
  WORKFLOW_NAME_TAKEN: row<{ workflow: string; first: string; second: string }>({
    message: ({ workflow, first, second }) =>
      `${first} and ${second} are both the workflow "${workflow}", so a run could be continued by the wrong one`,
    remedy: 'Give one of them another name or a version.',
  }),
  WORKFLOW_PROVIDED_TWICE: row<{ workflow: string; modules: string }>({
    message: ({ workflow, modules }) =>
      `${workflow} is provided more than once (${modules}), so its runs would have one of several instances`,
    remedy: 'Provide it in one module, export it there, and import that module where it is needed.',
  }),
  WORKFLOW_WITHOUT_RUN: row<{ workflow: string; provider: string; method: string }>({
    message: ({ workflow, provider, method }) =>
      `what is provided for ${provider} has no method ${method}, so there is nothing to run as workflow "${workflow}"`,
    remedy: 'Give the class, or what it is overridden with, that method.',
  }),
  WORKFLOW_RUN_IS_STEP: row<{ provider: string }>({
    message: ({ provider }) =>
      `${provider}.run is decorated with @Step, so nothing that it calls would be recorded by itself`,
    remedy: 'Remove @Step from run, and put it on the methods that run calls.',
  }),
  STEP_LOST: row<{ provider: string; method: string; declaredBy: string }>({
    message: ({ provider, method, declaredBy }) =>
      `${provider}.${method} overrides a step of ${declaredBy} without @Step, so it would run again in every replay`,
    remedy: 'Put @Step on the overriding method too, or give it another name.',
  }),
  STEP_OUTSIDE_PROVIDER: row<{ controller: string; method: string }>({
    message: ({ controller, method }) =>
      `${controller}.${method} has @Step, but the methods of controllers serve requests and never belong to a run`,
    remedy: 'Move the step to a provider that a workflow calls, or start a workflow from the controller.',
  }),
  ENGINE_UNKNOWN: row<{ provider: string; engine: string; known: string }>({
    message: ({ provider, engine, known }) =>
      `${provider} asks for the engine "${engine}", which no PerdureModule makes, so it would never run (known: ${known})`,
    remedy: 'Import PerdureModule.forRoot with this name, or correct the option engine.',
  }),
  ENGINE_NAME_TAKEN: row<{ engine: string }>({
    message: ({ engine }) =>
      `two PerdureModules make the engine "${engine}", so it is unclear which of them is injected`,
    remedy: 'Import PerdureModule.forRoot once, at the root, or give the second engine a name of its own.',
  }),
  SCHEDULE_WITHOUT_NAME: row<{ provider: string; method: string }>({
    message: ({ provider, method }) =>
      `@Scheduled on ${provider}.${method} names no workflow, and names in code may change while runs are in flight`,
    remedy: "Give it a name of its own: @Scheduled('0 * * * *', { name: 'hourly report' }).",
  }),
  SCHEDULE_NAME_TAKEN: row<{ schedule: string; first: string; second: string }>({
    message: ({ schedule, first, second }) =>
      `${first} and ${second} both declare the schedule "${schedule}", so only one of them would be kept`,
    remedy: 'Give each schedule a name of its own.',
  }),
  SCHEDULE_ON_PLAIN_CLASS: row<{ provider: string }>({
    message: ({ provider }) =>
      `@Scheduled is on the class ${provider}, which is no workflow, so it has nothing to start`,
    remedy: 'Put @Workflow on the class as well, or @Scheduled on one of its methods.',
  }),
  SCHEDULE_ON_READY_ENGINE: row<{ schedule: string }>({
    message: ({ schedule }) =>
      `the schedule "${schedule}" cannot be declared: the module was given an engine that is complete already`,
    remedy: 'Give the module the option database, or engine as a function: (options) => createEngine(options).',
  }),
  QUEUE_NAME_TAKEN: row<{ queue: string }>({
    message: ({ queue }) => `the queue "${queue}" is declared twice with other limits, so it is unclear which hold`,
    remedy: 'Declare it once, and use that value everywhere.',
  }),
};

/** The code of a fault. */
export type BootFaultCode = keyof typeof bootFaults;

type Details<Code extends BootFaultCode> = Parameters<(typeof bootFaults)[Code]['message']>[0];

/** What is found while an application boots. */
export class BootFaults {
  readonly #found = new Set<string>();

  add<Code extends BootFaultCode>(code: Code, details: Details<Code>): void {
    this.#found.add(textOf(code, details));
  }

  /** A fault that the engine has found. */
  addError(error: unknown): void {
    if (!isPerdureError(error)) throw error;
    this.#found.add(error.message);
  }

  /** Throws CONFIG_INVALID with every fault. */
  throwIfAny(): void {
    if (this.#found.size > 0) throw new PerdureError('CONFIG_INVALID', { faults: [...this.#found] });
  }
}

/** A fault that is found when the application has long booted: CONFIG_INVALID with it alone. */
export function faultOf<Code extends BootFaultCode>(code: Code, details: Details<Code>): PerdureError {
  return new PerdureError('CONFIG_INVALID', { faults: [textOf(code, details)] });
}

function textOf<Code extends BootFaultCode>(code: Code, details: Details<Code>): string {
  const { message, remedy } = bootFaults[code] as FaultRow<Details<Code>>;
  return `${code}: ${message(details)}. ${remedy}`;
}
