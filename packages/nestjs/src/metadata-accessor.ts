// What the decorators leave on classes and methods, and how the explorer reads it. Own metadata only: a subclass of a workflow
// class is no second workflow.

import type { Queue, schedule, ScheduleOptions } from 'perdure';

/** What Nest has to know of a workflow class. */
export interface WorkflowSettings {
  readonly engine: string;
  readonly enhancers: boolean;
  /** To be declared. */
  readonly queue: Queue | undefined;
}

/** One `@Scheduled`. */
export interface ScheduledSettings {
  readonly when: Parameters<typeof schedule>[1];
  readonly options: ScheduleOptions<unknown> & { readonly name?: string; readonly engine?: string };
}

const workflowKey = 'perdure:workflow';
const schedulesKey = 'perdure:schedules';

export function setWorkflowSettings(target: object, settings: WorkflowSettings): void {
  Reflect.defineMetadata(workflowKey, settings, target);
}

/** Undefined for a class whose `@Workflow` is that of the engine's package. */
export function workflowSettingsOf(target: object): WorkflowSettings | undefined {
  return Reflect.getOwnMetadata(workflowKey, target) as WorkflowSettings | undefined;
}

export function addSchedule(target: object, schedule: ScheduledSettings): void {
  Reflect.defineMetadata(schedulesKey, [schedule, ...schedulesOf(target)], target);
}

/** Of a class or a method, in the order in which they are written. */
export function schedulesOf(target: object): readonly ScheduledSettings[] {
  return (Reflect.getOwnMetadata(schedulesKey, target) ?? []) as readonly ScheduledSettings[];
}
