// What goes wrong in Nest integrations, each once: overrides, inheritance, scopes, enhancers, lazy modules, several engines.

import {
  Inject,
  Injectable,
  Module,
  Scope,
  UseFilters,
  UseGuards,
  UseInterceptors,
  UsePipes,
  ValidationPipe,
  type CanActivate,
  type ExceptionFilter,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { LazyModuleLoader, REQUEST } from '@nestjs/core';
import { expect, test } from '@jest/globals';
import { IsString } from 'class-validator';
import { sleep, type Engine } from 'perdure';
import {
  getEngineToken,
  getWorkerToken,
  getWorkflowToken,
  PerdureModule,
  Step,
  Workflow,
  type PerdureWorker,
  type RunRequest,
  type WorkflowRef,
} from '../src/index.js';
import { useNestDatabase } from './support/nest-database.js';

const db = useNestDatabase();

@Injectable()
class Mail {
  async send(): Promise<string> {
    return 'sent';
  }
}

@Workflow('mailing')
class Mailing {
  constructor(@Inject(Mail) private readonly mail: Mail) {}

  async run(): Promise<string> {
    return this.send();
  }

  @Step()
  async send(): Promise<string> {
    return this.mail.send();
  }
}

test('a workflow uses the override of what it injects', async () => {
  const fake = { send: async () => 'faked' };
  const app = await db.boot({ providers: [Mailing, Mail] }, (builder) => builder.overrideProvider(Mail).useValue(fake));

  const run = await app.get<Engine>(getEngineToken()).startWorkflow(Mailing);

  expect(await run.result()).toBe('faked');
});

test('a workflow that is overridden by a value is run', async () => {
  const fake = { run: async () => 'value' };
  const app = await db.boot({ providers: [Mailing, Mail] }, (builder) =>
    builder.overrideProvider(Mailing).useValue(fake),
  );

  const run = await app.get<Engine>(getEngineToken()).startWorkflow(Mailing);

  expect(await run.result()).toBe('value');
});

test('a workflow that is overridden by a class or a factory is run', async () => {
  class Fake {
    async run(): Promise<string> {
      return 'class';
    }
  }
  const byClass = await db.boot({ providers: [Mailing, Mail] }, (builder) =>
    builder.overrideProvider(Mailing).useClass(Fake),
  );
  const run = await byClass.get<Engine>(getEngineToken()).startWorkflow(Mailing);
  const first = await run.result();
  await byClass.close();
  const byFactory = await db.boot({ providers: [Mailing, Mail] }, (builder) =>
    builder.overrideProvider(Mailing).useFactory({ factory: () => ({ run: async () => 'factory' }) }),
  );

  const other = await byFactory.get<Engine>(getEngineToken()).startWorkflow(Mailing);

  expect([first, await other.result()]).toEqual(['class', 'factory']);
});

test('a subclass of a workflow class is no second workflow', async () => {
  @Injectable()
  class Derived extends Mailing {}

  const app = await db.boot({ providers: [Mailing, Derived, Mail] });

  const run = await app.get<Engine>(getEngineToken()).startWorkflow(Mailing);
  expect(await run.result()).toBe('sent');
});

test('a workflow under another token is run', async () => {
  const app = await db.boot({ providers: [{ provide: 'MAILING', useClass: Mailing }, Mail] });

  const run = await app.get<Engine>(getEngineToken()).startWorkflow(Mailing);

  expect(await run.result()).toBe('sent');
});

test('an alias of a workflow is no second provider of it', async () => {
  const app = await db.boot({ providers: [Mailing, { provide: 'MAILING', useExisting: Mailing }, Mail] });

  const run = await app.get<Engine>(getEngineToken()).startWorkflow(Mailing);

  expect(await run.result()).toBe('sent');
});

test('a request-scoped workflow has an instance per run, and the run in place of the request', async () => {
  let made = 0;
  @Injectable({ scope: Scope.REQUEST })
  class Tenant {
    readonly number = (made += 1);

    constructor(@Inject(REQUEST) readonly request: RunRequest) {}
  }
  @Workflow('scoped')
  class Scoped {
    constructor(@Inject(Tenant) private readonly tenant: Tenant) {}

    async run(): Promise<unknown> {
      const { id, workflow } = this.tenant.request.run;
      return [this.tenant.number, id, workflow, await this.again()];
    }

    @Step()
    async again(): Promise<number> {
      return this.tenant.number;
    }
  }
  const app = await db.boot({ providers: [Scoped, Tenant] });
  const engine = app.get<Engine>(getEngineToken());

  const first = await engine.startWorkflow(Scoped, undefined, { id: 'scoped-1' });
  expect(await first.result()).toEqual([1, 'scoped-1', 'scoped', 1]);
  const second = await engine.startWorkflow(Scoped, undefined, { id: 'scoped-2' });
  expect(await second.result()).toEqual([2, 'scoped-2', 'scoped', 2]);
});

test('the scope of a workflow can be an option, or an @Injectable of its own', async () => {
  const made: string[] = [];
  @Workflow('by option', { scope: Scope.REQUEST })
  class ByOption {
    constructor() {
      made.push('option');
    }

    async run(): Promise<void> {}
  }
  @Workflow('by injectable')
  @Injectable({ scope: Scope.TRANSIENT })
  class ByInjectable {
    constructor() {
      made.push('injectable');
    }

    async run(): Promise<void> {}
  }
  const app = await db.boot({ providers: [ByOption, ByInjectable] });
  const engine = app.get<Engine>(getEngineToken());

  for (const each of [ByOption, ByOption, ByInjectable, ByInjectable])
    await (await engine.startWorkflow(each)).result();

  expect(made).toEqual(['option', 'option', 'injectable', 'injectable']);
});

class Greeting {
  @IsString()
  readonly name: string = '';

  shout(): string {
    return this.name.toUpperCase();
  }
}

const calls: string[] = [];

class Allow implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    calls.push(`guard of ${context.getType<string>()} ${context.getHandler().name}`);
    return context.getArgByIndex<Greeting>(0).name !== 'Eve';
  }
}

class Trace implements NestInterceptor {
  intercept(...[, next]: Parameters<NestInterceptor['intercept']>): ReturnType<NestInterceptor['intercept']> {
    calls.push('interceptor');
    return next.handle();
  }
}

class Soften implements ExceptionFilter {
  catch(): string {
    return 'softened';
  }
}

@UseGuards(Allow)
@UseInterceptors(Trace)
class Greeter {
  async run(greeting: Greeting): Promise<string> {
    return greeting.shout();
  }
}

test('guards, interceptors and pipes apply to run where they are asked for', async () => {
  calls.length = 0;
  @Workflow('enhanced', { enhancers: true })
  class Enhanced extends Greeter {
    @UsePipes(new ValidationPipe({ transform: true })) // on the method: only then does the compiler tell its type
    override async run(greeting: Greeting): Promise<string> {
      return super.run(greeting);
    }
  }
  const app = await db.boot({ providers: [Enhanced] });
  const engine = app.get<Engine>(getEngineToken());

  const allowed = await engine.startWorkflow(Enhanced, { name: 'Ada' } as Greeting);
  const refused = await engine.startWorkflow(Enhanced, { name: 'Eve' } as Greeting);

  expect(await allowed.result()).toBe('ADA');
  await expect(refused.result()).rejects.toThrow('Forbidden resource');
  expect(calls).toEqual(['guard of perdure run', 'interceptor', 'guard of perdure run']);
});

test('a filter gives the result of a run where it is asked for', async () => {
  @Workflow('filtered', { enhancers: true, scope: Scope.REQUEST })
  class Filtered {
    @UseFilters(Soften)
    async run(): Promise<string> {
      throw new Error('hard');
    }
  }
  const app = await db.boot({ providers: [Filtered] });

  const run = await app.get<Engine>(getEngineToken()).startWorkflow(Filtered);

  expect(await run.result()).toBe('softened');
});

test('guards, interceptors and pipes leave run alone where they are not asked for', async () => {
  calls.length = 0;
  @Workflow('plain')
  class Plain extends Greeter {
    override async run(greeting: Greeting): Promise<string> {
      return greeting.name;
    }
  }
  const app = await db.boot({ providers: [Plain] });

  const run = await app.get<Engine>(getEngineToken()).startWorkflow(Plain, { name: 'Eve' } as Greeting);

  expect(await run.result()).toBe('Eve');
  expect(calls).toEqual([]);
});

test('a lazy module gets its refs by forFeature, and its workflows are found when one is started', async () => {
  @Workflow('lazy')
  class Lazy {
    async run(): Promise<string> {
      return 'loaded';
    }
  }
  @Module({ imports: [PerdureModule.forFeature([Lazy])], providers: [Lazy] })
  class LazyModule {}
  const app = await db.boot({});
  const lazy = await app.get(LazyModuleLoader).load(() => LazyModule);

  const run = await lazy.get<WorkflowRef<Lazy>>(getWorkflowToken(Lazy), { strict: false }).start();

  expect(await run.result()).toBe('loaded');
});

test('a run that waits for a lazy workflow goes on once the worker has looked again', async () => {
  @Workflow('late')
  class Late {
    async run(): Promise<string> {
      return 'found';
    }
  }
  @Module({ providers: [Late] })
  class LateModule {}
  const app = await db.boot({});
  const run = await app.get<Engine>(getEngineToken()).startWorkflow(Late);
  await app.get(LazyModuleLoader).load(() => LateModule);

  app.get<PerdureWorker>(getWorkerToken(), { strict: false }).refresh();

  expect(await run.result()).toBe('found');
});

test('two engines in one application keep apart', async () => {
  @Workflow('invoice', { engine: 'billing' })
  class Invoice {
    async run(): Promise<string> {
      return 'billed';
    }
  }
  const billing = PerdureModule.forRoot(db.options({ name: 'billing', schema: 'billing' }));
  const app = await db.boot({ imports: [billing], providers: [Invoice, Mailing, Mail] });
  const [main, other] = [app.get<Engine>(getEngineToken()), app.get<Engine>(getEngineToken('billing'))];

  const invoice = await other.startWorkflow(Invoice);
  const mailing = await main.startWorkflow(Mailing);

  expect([await invoice.result(), await mailing.result()]).toEqual(['billed', 'sent']);
  expect((await main.runs.list({ workflow: 'invoice' })).runs).toEqual([]);
  expect((await other.runs.list({ workflow: 'mailing' })).runs).toEqual([]);
});

test('two applications in one process keep apart', async () => {
  const first = await db.bootWith({ schema: 'first' }, { providers: [Mailing, Mail] });
  const second = await db.bootWith(
    { schema: 'second' },
    { providers: [Mailing, { provide: Mail, useValue: new Mail() }] },
  );

  const run = await first.get<Engine>(getEngineToken()).startWorkflow(Mailing, undefined, { id: 'of the first' });

  expect(await run.result()).toBe('sent');
  expect(await second.get<Engine>(getEngineToken()).runs.get('of the first')).toBeUndefined();
});

test('a wait is none of the instance: a spy on a method is called after it', async () => {
  @Workflow('patient')
  class Patient {
    async run(): Promise<string> {
      await sleep(20);
      return this.answer();
    }

    async answer(): Promise<string> {
      return 'real';
    }
  }
  const app = await db.boot({ providers: [Patient] });
  app.get(Patient).answer = async () => 'spied';

  const run = await app.get<Engine>(getEngineToken()).startWorkflow(Patient);

  expect(await run.result()).toBe('spied');
});
