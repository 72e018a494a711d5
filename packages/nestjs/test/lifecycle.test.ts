// Runs begin after every other module has booted and end before any of them is destroyed; starts are possible from the first hook on.

import {
  Injectable,
  Module,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
  type OnModuleInit,
} from '@nestjs/common';
import { ModulesContainer, NestFactory } from '@nestjs/core';
import { Transport, type MicroserviceOptions } from '@nestjs/microservices';
import { expect, test } from '@jest/globals';
import { createEngine, isPerdureError, sleep, workflow, type Engine } from 'perdure';
import {
  getEngineToken,
  InjectEngine,
  InjectWorkflow,
  PerdureModule,
  Step,
  Workflow,
  type PerdureModuleOptions,
  type PerdureOptionsFactory,
  type WorkflowRef,
} from '../src/index.js';
import { useNestDatabase } from './support/nest-database.js';

const db = useNestDatabase();
const quiet = { logger: false } as const;

/** Writes down what happens, in one application. */
@Injectable()
class Diary {
  readonly lines: string[] = [];
}

@Injectable()
class Database implements OnApplicationBootstrap, OnModuleDestroy {
  constructor(private readonly diary: Diary) {}

  onApplicationBootstrap(): void {
    this.diary.lines.push('database booted');
  }

  onModuleDestroy(): void {
    this.diary.lines.push('database closed');
  }
}

@Module({ providers: [Database, Diary], exports: [Diary] })
class DatabaseModule {}

@Workflow('slow')
class Slow {
  constructor(private readonly diary: Diary) {}

  async run(): Promise<void> {
    this.diary.lines.push('run began');
    await this.work();
  }

  @Step()
  async work(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 150));
    this.diary.lines.push('step ended');
  }
}

@Injectable()
class Starter implements OnModuleInit, OnApplicationBootstrap, OnModuleDestroy {
  constructor(
    private readonly diary: Diary,
    @InjectWorkflow(Slow) private readonly slow: WorkflowRef<Slow>,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.slow.start(undefined, { id: 'slow' });
    this.diary.lines.push('started');
  }

  onApplicationBootstrap(): void {
    this.diary.lines.push('root booted');
  }

  onModuleDestroy(): void {
    this.diary.lines.push('root closed');
  }
}

@Injectable()
class LastWord implements BeforeApplicationShutdown {
  say: () => Promise<unknown> = () => Promise.resolve();

  async beforeApplicationShutdown(): Promise<void> {
    await this.say();
  }
}

async function until(diary: Diary, line: string): Promise<void> {
  const { waitFor } = await import('@perdure/testing');
  await waitFor(() => diary.lines.includes(line), { what: `the line "${line}"` });
}

test('what onModuleInit starts begins after the whole boot, and ends before anything is closed', async () => {
  @Module({ imports: [PerdureModule.forRoot(db.options()), DatabaseModule], providers: [Slow, Starter] })
  class AppModule {}
  const app = db.closeLater(await NestFactory.createApplicationContext(AppModule, quiet));
  const diary = app.get(Diary, { strict: false });
  await until(diary, 'run began');

  await app.close();

  expect(diary.lines).toEqual([
    'started',
    'database booted',
    'root booted',
    'run began',
    'step ended',
    'root closed',
    'database closed',
  ]);
});

test('the worker module of each engine stands before the root', async () => {
  const billing = PerdureModule.forRoot(db.options({ name: 'billing', schema: 'billing' }));
  const app = await db.boot({ imports: [billing] });

  const distances = [...app.get(ModulesContainer).values()].map(({ name, distance }) => [name, distance] as const);

  const before = distances.filter(([, distance]) => distance < 0);
  expect(before).toEqual([
    ['PerdureWorkerModule', -1],
    ['PerdureWorkerModule', -1],
  ]);
});

test.each(['useFactory', 'useClass', 'useExisting'] as const)('options come from %s', async (kind) => {
  @Injectable()
  class Config implements PerdureOptionsFactory {
    createPerdureOptions(): PerdureModuleOptions {
      return db.options();
    }
  }
  @Module({ providers: [Config], exports: [Config] })
  class ConfigModule {}
  const ways = {
    useFactory: {
      imports: [ConfigModule],
      inject: [Config],
      useFactory: (config: Config) => config.createPerdureOptions(),
    },
    useClass: { useClass: Config },
    useExisting: { imports: [ConfigModule], useExisting: Config },
  };
  @Module({ imports: [PerdureModule.forRootAsync({ name: 'main', ...ways[kind] })] })
  class AppModule {}

  const app = db.closeLater(await NestFactory.createApplicationContext(AppModule, quiet));

  expect((await app.get<Engine>(getEngineToken('main'), { strict: false }).health()).database).toBe('up');
});

test('an engine of yours is launched and closed by the module', async () => {
  const greet = workflow('greet', async (name: string) => `Hello ${name}`);
  const engine = createEngine({ database: db.url, workflows: [greet] });
  const app = await db.bootWith({ engine }, {});

  const run = await engine.startWorkflow(greet, 'Ada');
  expect(await run.result()).toBe('Hello Ada');
  await app.close();

  await expect(engine.startWorkflow(greet, 'Ada')).rejects.toThrow('ENGINE_CLOSED');
});

test('functions among the options are run beside the classes', async () => {
  const greet = workflow('greet', async (name: string) => `Hello ${name}`);
  const app = await db.bootWith({ workflows: [greet] }, {});

  const run = await app.get<Engine>(getEngineToken()).startWorkflow(greet, 'Ada');

  expect(await run.result()).toBe('Hello Ada');
});

test('a process that is no worker starts runs, and a worker of the same code ends them', async () => {
  @Workflow('shared')
  class Shared {
    async run(): Promise<string> {
      await sleep(10);
      return 'by the worker';
    }
  }
  const api = await db.bootWith({ worker: false }, { providers: [Shared] });
  const engine = api.get<Engine>(getEngineToken());
  const run = await engine.startWorkflow(Shared);
  expect(await run.status()).toBe('queued');

  await db.boot({ providers: [Shared] });

  expect(await run.result()).toBe('by the worker');
});

test('a process that is no worker starts runs until the last request is answered', async () => {
  const greet = workflow('greet at last', async (name: string) => `Hello ${name}`);
  const [api, worker] = [await db.bootWith({ worker: false }, { providers: [LastWord] }), await db.boot({})];
  worker.get<Engine>(getEngineToken()).register(greet);
  api.get(LastWord).say = () => api.get<Engine>(getEngineToken()).startWorkflow(greet, 'Ada', { id: 'last word' });

  await api.close();
  api.get(LastWord).say = () => Promise.resolve();

  expect(await worker.get<Engine>(getEngineToken()).getHandle('last word').result()).toBe('Hello Ada');
});

test('a hybrid application drains, too', async () => {
  @Module({ imports: [PerdureModule.forRoot(db.options()), DatabaseModule], providers: [Slow, Starter] })
  class HybridModule {}
  const app = db.closeLater(await NestFactory.create(HybridModule, quiet));
  app.connectMicroservice<MicroserviceOptions>({ transport: Transport.TCP, options: { host: '127.0.0.1', port: 0 } });
  await app.startAllMicroservices();
  await app.listen(0, '127.0.0.1');
  const diary = app.get(Diary, { strict: false });
  const handle = app.get<Engine>(getEngineToken()).getHandle('slow');
  await handle.result();

  await app.close();

  expect(diary.lines.slice(-2)).toEqual(['root closed', 'database closed']);
});

test('what is wrong with the options is said at once', async () => {
  @Injectable()
  class Reader {
    constructor(@InjectEngine() readonly engine: Engine) {}
  }
  const boot = db.bootWith({ database: '', lease: 'soon' }, { providers: [Reader] });

  const error: unknown = await boot.then(
    () => undefined,
    (reason: unknown) => reason,
  );

  expect(isPerdureError(error, 'CONFIG_INVALID')).toBe(true);
  expect(String(error)).toMatch(/lease.*database/);
});
