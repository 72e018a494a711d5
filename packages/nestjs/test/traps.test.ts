// What goes wrong in Nest integrations, each once: overrides, inheritance, lazy modules, several engines.

import { Inject, Injectable, Module } from '@nestjs/common';
import { LazyModuleLoader } from '@nestjs/core';
import { expect, test } from '@jest/globals';
import { sleep, type Engine } from 'perdure';
import {
  getEngineToken,
  getWorkerToken,
  getWorkflowToken,
  PerdureModule,
  Step,
  Workflow,
  type PerdureWorker,
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
