// The modules. Core makes the engine and lasts to the end; worker runs workflows, last to boot and first to stop; feature gives refs
// to modules that are loaded lazily; PerdureModule is what applications import.

import {
  ConfigurableModuleBuilder,
  Module,
  type DynamicModule,
  type FactoryProvider,
  type Provider,
} from '@nestjs/common';
import {
  DiscoveryModule,
  DiscoveryService,
  ExternalContextCreator,
  MetadataScanner,
  ModuleRef,
  ModulesContainer,
} from '@nestjs/core';
import { PerdureError, type Engine, type Startable } from 'perdure';
import { PerdureExplorer } from './explorer.js';
import { PerdureHealthIndicator } from './health.js';
import { engineOf, wishedFrom } from './injected-workflows.js';
import type { EngineFactory, PerdureModuleExtras, PerdureModuleOptions } from './options.js';
import { RunInvoker } from './run-invoker.js';
import { makeWorker, openRuntime, type Runtime } from './runtime.js';
import {
  defaultEngine,
  getEngineFactoryToken,
  getEngineToken,
  getRuntimeToken,
  getWorkerToken,
  getWorkflowToken,
  optionsToken,
} from './tokens.js';
import type { PerdureWorker } from './worker.js';
import { WorkflowRef, type AnyWorkflow } from './workflow-ref.js';

const { ConfigurableModuleClass, OPTIONS_TYPE, ASYNC_OPTIONS_TYPE } =
  new ConfigurableModuleBuilder<PerdureModuleOptions>({
    optionsInjectionToken: optionsToken,
  })
    .setClassMethodName('forRoot')
    .setFactoryMethodName('createPerdureOptions')
    .setExtras<Required<PerdureModuleExtras>>({ name: defaultEngine, isGlobal: true }, withEngine)
    .build();

/** What `PerdureModule.forRoot` takes. */
export type PerdureRootOptions = typeof OPTIONS_TYPE;

/** What `PerdureModule.forRootAsync` takes. */
export type PerdureRootAsyncOptions = typeof ASYNC_OPTIONS_TYPE;

/** @internal */
@Module({})
class PerdureCoreModule extends ConfigurableModuleClass {}

// Providers are listed late, when Nest looks through the modules: by then all files are loaded, and with them every wish.
function withEngine(definition: DynamicModule, { name, isGlobal }: Required<PerdureModuleExtras>): DynamicModule {
  const own = ownProviders(name);
  return {
    ...definition,
    global: isGlobal,
    imports: [...(definition.imports ?? []), DiscoveryModule],
    get providers(): Provider[] {
      return [...(definition.providers ?? []), ...own, ...refsOf(name, wishedFrom(name))];
    },
    get exports(): string[] {
      return [getEngineToken(name), getRuntimeToken(name), ...wishedFrom(name).keys()];
    },
  };
}

type RuntimeProviders = [PerdureExplorer, RunInvoker, EngineFactory | null];

function ownProviders(name: string): Provider[] {
  return [
    {
      provide: PerdureExplorer,
      inject: [DiscoveryService, MetadataScanner],
      useFactory: (discovery: DiscoveryService, scanner: MetadataScanner) => new PerdureExplorer(discovery, scanner),
    },
    {
      provide: RunInvoker,
      inject: [ModuleRef, ExternalContextCreator],
      useFactory: (moduleRef: ModuleRef, contexts: ExternalContextCreator) => new RunInvoker(moduleRef, contexts),
    },
    { provide: getEngineFactoryToken(name), useValue: null },
    {
      provide: getRuntimeToken(name),
      inject: [optionsToken, PerdureExplorer, RunInvoker, getEngineFactoryToken(name)],
      useFactory: (options: PerdureModuleOptions, ...[explorer, invoker, factory]: RuntimeProviders) =>
        openRuntime({ name, options: factory === null ? options : { ...options, engine: factory }, explorer, invoker }),
    },
    {
      provide: getEngineToken(name),
      inject: [getRuntimeToken(name)],
      useFactory: ({ engine }: Runtime): Engine => engine,
    },
  ];
}

function refsOf(name: string, workflows: ReadonlyMap<string, Startable<never, unknown>>): FactoryProvider[] {
  return [...workflows].map(([provide, workflow]) => ({
    provide,
    inject: [getEngineToken(name), getRuntimeToken(name)],
    useFactory: (engine: Engine, runtime: Runtime) =>
      new WorkflowRef<AnyWorkflow>(engine, workflow, () => runtime.worker?.onStart(workflow)),
  }));
}

/** @internal */
@Module({})
class PerdureWorkerModule {
  static of(core: DynamicModule, name: string): DynamicModule {
    const worker: FactoryProvider<PerdureWorker> = {
      provide: getWorkerToken(name),
      inject: [getRuntimeToken(name), ModulesContainer],
      useFactory: (runtime: Runtime, modules: ModulesContainer) => {
        putBeforeRoot(modules);
        return makeWorker(runtime);
      },
    };
    return { module: PerdureWorkerModule, imports: [core], providers: [worker] };
  }
}

// Nest calls the hooks of modules by their distance from the root, farthest first when booting and nearest first when closing; a global
// module counts as farthest. There is no public way to be nearer than the root: see the tests of the lifecycle.
function putBeforeRoot(modules: ModulesContainer): void {
  for (const each of modules.values()) if (each.metatype === PerdureWorkerModule) each.distance = -1;
}

/** @internal */
@Module({})
class PerdureFeatureModule {}

/**
 * Durable workflows for a Nest application. Import it once, at the root.
 *
 * @example
 * @Module({ imports: [PerdureModule.forRoot({ database: process.env.DATABASE_URL })], providers: [CheckoutWorkflow] })
 * export class AppModule {}
 */
@Module({
  providers: [
    {
      provide: PerdureHealthIndicator,
      inject: [ModuleRef],
      useFactory: (moduleRef: ModuleRef) => new PerdureHealthIndicator(moduleRef),
    },
  ],
  exports: [PerdureHealthIndicator],
})
export class PerdureModule {
  /** An engine from options. The engine is launched before the `onModuleInit` of any provider, and runs workflows after the whole boot. Throws OPTION_INVALID. */
  static forRoot(options: PerdureRootOptions): DynamicModule {
    return withWorker(PerdureCoreModule.forRoot(checked(options)), options);
  }

  /** The same, from options that a factory, a class or a provider gives. */
  static forRootAsync(options: PerdureRootAsyncOptions): DynamicModule {
    return withWorker(PerdureCoreModule.forRootAsync(checked(options)), options);
  }

  /**
   * The refs of workflows, for modules that are loaded lazily: what `@InjectWorkflow` asks for elsewhere is there without it.
   * The classes themselves stay among the providers of your modules.
   */
  static forFeature(workflows: readonly Startable<never, unknown>[], engine?: string): DynamicModule {
    const refs = workflows.flatMap((workflow) => {
      const name = engine ?? engineOf(workflow);
      return refsOf(name, new Map([[getWorkflowToken(workflow, name), workflow]]));
    });
    return { module: PerdureFeatureModule, providers: refs, exports: refs.map(({ provide }) => provide) };
  }
}

function checked<T>(options: T): T {
  if (typeof options === 'object' && options !== null && !Array.isArray(options)) return options;
  const reason = 'give an object, as { database }';
  throw new PerdureError('OPTION_INVALID', { option: 'options', value: options, reason });
}

function withWorker(
  core: DynamicModule,
  { name = defaultEngine, isGlobal = true }: PerdureModuleExtras,
): DynamicModule {
  return {
    module: PerdureModule,
    global: isGlobal,
    imports: [core, PerdureWorkerModule.of(core, name)],
    exports: [core],
  };
}
