// Looks through the application for workflow classes, scheduled methods, queues, and for what is wrong with them. It reads classes
// alone, so it can be asked before any instance exists. It starts and registers nothing.

import type { Type } from '@nestjs/common';
import type { DiscoveryService, MetadataScanner } from '@nestjs/core';
import {
  contract,
  describeWorkflow,
  schedule,
  stepNameOf,
  workflowNameOf,
  type Queue,
  type Schedule,
  type Startable,
  type WorkflowClass,
} from 'perdure';
import { BootFaults } from './boot-faults.js';
import { findLostSteps, methodsOf, type ClassMethod } from './class-methods.js';
import { schedulesOf, workflowSettingsOf, type ScheduledSettings } from './metadata-accessor.js';
import { defaultEngine, engineNameOf } from './tokens.js';

/** A provider as Nest keeps it. */
export type ProviderWrapper = ReturnType<DiscoveryService['getProviders']>[number];

/** A method of a provider that is to be run as a workflow. */
export interface FoundWorkflow {
  /** The class, or a contract that stands for a scheduled method. */
  readonly workflow: Startable<never, unknown>;
  readonly provider: ProviderWrapper;
  readonly method: string;
  readonly enhancers: boolean;
}

/** What an application has for one engine. */
export interface Found {
  readonly workflows: readonly FoundWorkflow[];
  readonly schedules: readonly Schedule[];
  readonly queues: readonly Queue[];
  readonly faults: BootFaults;
}

interface Findings {
  readonly engine: string;
  readonly knownEngines: readonly string[];
  readonly workflows: FoundWorkflow[];
  readonly schedules: Map<string, { readonly schedule: Schedule; readonly by: string }>;
  readonly queues: Set<Queue>;
  readonly faults: BootFaults;
}

type AnyClass = Type<unknown>;

/** Knows where to look. */
export class PerdureExplorer {
  readonly #discovery: DiscoveryService;
  readonly #scanner: MetadataScanner;

  constructor(discovery: DiscoveryService, scanner: MetadataScanner) {
    this.#discovery = discovery;
    this.#scanner = scanner;
  }

  /** Everything that is meant for an engine. */
  explore(engine: string): Found {
    const found: Findings = {
      engine,
      knownEngines: this.#engines(),
      workflows: [],
      schedules: new Map(),
      queues: new Set(),
      faults: new BootFaults(),
    };
    if (found.knownEngines.filter((known) => known === engine).length > 1)
      found.faults.add('ENGINE_NAME_TAKEN', { engine });
    for (const provider of this.#discovery.getProviders())
      if (!provider.isAlias) this.#exploreProvider(provider, found);
    for (const { metatype } of this.#discovery.getControllers())
      if (isClass(metatype)) this.#exploreController(metatype, found.faults);
    checkIdentities(found);
    return {
      workflows: found.workflows,
      schedules: [...found.schedules.values()].map((each) => each.schedule),
      queues: [...found.queues],
      faults: found.faults,
    };
  }

  // Every core module provides its engine under a token that has its name.
  #engines(): string[] {
    return this.#discovery.getProviders().flatMap(({ token }) => engineNameOf(token) ?? []);
  }

  #exploreProvider(provider: ProviderWrapper, found: Findings): void {
    const classes = classesOf(provider);
    // The token first: a provider that is overridden in a test still stands for the class.
    const workflow = classes.find((each) => workflowNameOf(each) !== undefined);
    if (workflow !== undefined) this.#addWorkflow(workflow, provider, found);
    for (const each of classes) {
      if (each !== workflow && schedulesOf(each).length > 0)
        found.faults.add('SCHEDULE_ON_PLAIN_CLASS', { provider: each.name });
      for (const lost of findLostSteps(each)) found.faults.add('STEP_LOST', lost);
    }
    // One class speaks for the provider here, too: that of an override may have inherited the same schedules.
    const scheduled = classes.find((each) => this.#scheduledMethodsOf(each).length > 0);
    if (scheduled !== undefined) this.#addMethods(scheduled, provider, found);
  }

  #addWorkflow(declared: AnyClass, provider: ProviderWrapper, found: Findings): void {
    const { engine = defaultEngine, enhancers = false, queue } = workflowSettingsOf(declared) ?? {};
    if (!found.knownEngines.includes(engine))
      found.faults.add('ENGINE_UNKNOWN', { provider: declared.name, engine, known: found.knownEngines.join(', ') });
    if (engine !== found.engine) return;
    const workflow = declared as WorkflowClass<never, unknown>;
    found.workflows.push({ workflow, provider, method: 'run', enhancers });
    if (stepNameOf(Reflect.get(declared.prototype as object, 'run')) !== undefined)
      found.faults.add('WORKFLOW_RUN_IS_STEP', { provider: declared.name });
    if (queue !== undefined) found.queues.add(queue);
    for (const each of schedulesOf(declared))
      addSchedule(found, each, { name: describeWorkflow(workflow).name, workflow, by: declared.name });
  }

  #scheduledMethodsOf(declared: AnyClass): readonly ClassMethod[] {
    return methodsOf(declared, this.#scanner).filter(({ method }) => schedulesOf(method).length > 0);
  }

  #addMethods(declared: AnyClass, provider: ProviderWrapper, found: Findings): void {
    for (const { key, method } of this.#scheduledMethodsOf(declared)) {
      for (const each of schedulesOf(method)) {
        const { name, engine = defaultEngine } = each.options;
        const by = `${declared.name}.${key}`;
        if (!found.knownEngines.includes(engine))
          found.faults.add('ENGINE_UNKNOWN', { provider: by, engine, known: found.knownEngines.join(', ') });
        if (name === undefined) found.faults.add('SCHEDULE_WITHOUT_NAME', { provider: declared.name, method: key });
        if (name === undefined || engine !== found.engine) continue;
        const workflow = contract<never, unknown>(name);
        found.workflows.push({ workflow, provider, method: key, enhancers: false });
        addSchedule(found, each, { name, workflow, by });
      }
    }
  }

  #exploreController(controller: AnyClass, faults: BootFaults): void {
    for (const { key, method } of methodsOf(controller, this.#scanner))
      if (stepNameOf(method) !== undefined)
        faults.add('STEP_OUTSIDE_PROVIDER', { controller: controller.name, method: key });
  }
}

interface Scheduled {
  readonly name: string;
  readonly workflow: Startable<never, unknown>;
  readonly by: string;
}

function addSchedule(
  { schedules, faults }: Findings,
  { when, options }: ScheduledSettings,
  scheduled: Scheduled,
): void {
  const { name: named, engine: _, ...rest } = options;
  const name = named ?? scheduled.name;
  const { by } = scheduled;
  const first = schedules.get(name);
  if (first !== undefined) faults.add('SCHEDULE_NAME_TAKEN', { schedule: name, first: first.by, second: by });
  try {
    // Its input is what the schedule says; the compiler has no word in what a decorator is on.
    schedules.set(name, {
      schedule: schedule<unknown>(name, when, scheduled.workflow as Startable<void, unknown>, rest),
      by,
    });
  } catch (error) {
    faults.addError(error);
  }
}

// One class in one place, one class of a name.
function checkIdentities({ workflows, queues, faults }: Findings): void {
  const first = new Map<string, FoundWorkflow>();
  for (const each of workflows) {
    const { name, version } = describeWorkflow(each.workflow);
    const earlier = first.get(`${name}@${version}`);
    if (earlier === undefined) first.set(`${name}@${version}`, each);
    else if (earlier.workflow === each.workflow) addProvidedTwice(faults, each, workflows);
    else if (earlier.method === 'run' || each.method === 'run' || earlier.provider !== each.provider)
      faults.add('WORKFLOW_NAME_TAKEN', { workflow: name, first: inWords(earlier), second: inWords(each) });
  }
  const byName = new Map<string, Queue>();
  for (const queue of queues) {
    const earlier = byName.get(queue.name);
    byName.set(queue.name, queue);
    if (earlier !== undefined && JSON.stringify(earlier) !== JSON.stringify(queue))
      faults.add('QUEUE_NAME_TAKEN', { queue: queue.name });
  }
}

function addProvidedTwice(faults: BootFaults, { workflow }: FoundWorkflow, all: readonly FoundWorkflow[]): void {
  const modules = all.filter((each) => each.workflow === workflow).map(({ provider }) => provider.host?.name);
  const { name } = workflow as AnyClass;
  faults.add('WORKFLOW_PROVIDED_TWICE', { workflow: name, modules: modules.join(' and ') });
}

/** `CheckoutWorkflow in OrdersModule`. */
export function inWords({ provider, workflow, method }: FoundWorkflow): string {
  const { name } = isClass(workflow) ? workflow : (classesOf(provider)[0] ?? { name: String(provider.name) });
  return `${name}${method === 'run' ? '' : `.${method}`} in ${String(provider.host?.name)}`;
}

// What the provider is asked for by, and what it is made from; both are the same but for overrides and custom providers.
function classesOf({ token, metatype, inject }: ProviderWrapper): readonly AnyClass[] {
  const made = Array.isArray(inject) ? undefined : metatype; // a factory is no class
  return [...new Set([token, made])].filter(isClass);
}

function isClass(value: unknown): value is AnyClass {
  return typeof value === 'function' && typeof value.prototype === 'object';
}
