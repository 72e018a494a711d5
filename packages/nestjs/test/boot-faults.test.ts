// What is wrong with the workflows of an application is said when it boots: all of it, with a remedy each.

import { readFileSync } from 'node:fs';
import { Controller, Get, Injectable, Module, type ModuleMetadata } from '@nestjs/common';
import { expect, test } from '@jest/globals';
import { createEngine, isPerdureError, queue } from 'perdure';
import { bootFaults, PerdureModule, Scheduled, Step, Workflow, type PerdureRootOptions } from '../src/index.js';
import { useNestDatabase } from './support/nest-database.js';

const db = useNestDatabase();

@Workflow('checkout')
class Checkout {
  async run(): Promise<void> {}
}

async function faultsOf(
  metadata: ModuleMetadata,
  options: Partial<PerdureRootOptions> = {},
): Promise<readonly string[]> {
  const error: unknown = await db.bootWith(options, metadata).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!isPerdureError(error, 'CONFIG_INVALID')) throw error;
  const { faults } = error.details;
  return Array.isArray(faults) ? faults.map(String) : [];
}

test('two classes of one name', async () => {
  @Workflow('checkout')
  class Other {
    async run(): Promise<void> {}
  }

  expect(await faultsOf({ providers: [Checkout, Other] })).toEqual([
    'WORKFLOW_NAME_TAKEN: Checkout in RootTestModule and Other in RootTestModule are both the workflow "checkout", ' +
      'so a run could be continued by the wrong one. Give one of them another name or a version.',
  ]);
});

test('two versions of one workflow are no fault', async () => {
  @Workflow('checkout', { version: '2' })
  class Second {
    async run(): Promise<void> {}
  }

  await expect(db.boot({ providers: [Checkout, Second] })).resolves.toBeDefined();
});

test('a class that two modules provide', async () => {
  @Module({ providers: [Checkout] })
  class OrdersModule {}
  @Module({ providers: [Checkout] })
  class ShopModule {}

  expect(await faultsOf({ imports: [OrdersModule, ShopModule] })).toEqual([
    expect.stringMatching(/^WORKFLOW_PROVIDED_TWICE: Checkout .* \(OrdersModule and ShopModule\)/),
  ]);
});

test('an override without run', async () => {
  const boot = db.boot({ providers: [Checkout] }, (builder) => builder.overrideProvider(Checkout).useValue({}));

  await expect(boot).rejects.toThrow(
    'WORKFLOW_WITHOUT_RUN: what is provided for Checkout in RootTestModule has no method run',
  );
});

test('a run that is a step', async () => {
  @Workflow('stepped')
  class Stepped {
    @Step()
    async run(): Promise<void> {}
  }

  expect(await faultsOf({ providers: [Stepped] })).toEqual([
    expect.stringMatching(/^WORKFLOW_RUN_IS_STEP: Stepped.run .* Remove @Step from run/),
  ]);
});

test('an overridden step that lost its decorator, in a workflow and in any provider', async () => {
  class Base {
    @Step()
    async charge(): Promise<void> {}
  }
  class Middle extends Base {}
  @Injectable()
  class Lost extends Middle {
    override async charge(): Promise<void> {}
  }
  @Injectable()
  class Kept extends Middle {
    @Step()
    override async charge(): Promise<void> {}
  }

  expect(await faultsOf({ providers: [Lost, Kept] })).toEqual([
    expect.stringMatching(/^STEP_LOST: Lost.charge overrides a step of Base without @Step/),
  ]);
});

test('a step in a controller', async () => {
  @Controller()
  class OrdersController {
    @Get()
    @Step()
    async list(): Promise<void> {}
  }

  expect(await faultsOf({ controllers: [OrdersController] })).toEqual([
    expect.stringMatching(/^STEP_OUTSIDE_PROVIDER: OrdersController.list has @Step/),
  ]);
});

test('an engine that nobody makes', async () => {
  @Workflow('lost', { engine: 'biling' })
  class Lost {
    async run(): Promise<void> {}
  }

  expect(await faultsOf({ providers: [Lost] })).toEqual([
    expect.stringMatching(/^ENGINE_UNKNOWN: Lost asks for the engine "biling".*\(known: default\)/),
  ]);
});

test('an engine that two modules make', async () => {
  const again = PerdureModule.forRoot(db.options());

  expect(await faultsOf({ imports: [again] })).toEqual([
    expect.stringMatching(/^ENGINE_NAME_TAKEN: two PerdureModules make the engine "default"/),
  ]);
});

test('schedules without a name, of the same name, with a wrong pattern, and on a plain class', async () => {
  @Injectable()
  class Reports {
    // What the compiler refuses may come from code without types.
    @(Scheduled('0 * * * *') as unknown as MethodDecorator)
    async nameless(): Promise<void> {}

    @Scheduled('0 * * * *', { name: 'twice' })
    async first(): Promise<void> {}

    @Scheduled('0 * * * *', { name: 'twice' })
    async second(): Promise<void> {}

    @Scheduled('61 * * * *', { name: 'wrong' })
    async wrong(): Promise<void> {}
  }
  @(Scheduled('@daily') as unknown as ClassDecorator)
  @Injectable()
  class Plain {}

  const codes = (await faultsOf({ providers: [Reports, Plain] })).map((fault) => fault.split(':', 1)[0]);

  expect(codes).toEqual(['SCHEDULE_WITHOUT_NAME', 'SCHEDULE_NAME_TAKEN', 'CRON_INVALID', 'SCHEDULE_ON_PLAIN_CLASS']);
});

test('a schedule for an engine that is complete already', async () => {
  @Scheduled('@daily')
  @Workflow('daily')
  class Daily {
    async run(): Promise<void> {}
  }
  const engine = createEngine({ database: db.url });

  expect(await faultsOf({ providers: [Daily] }, { engine })).toEqual([
    expect.stringMatching(/^SCHEDULE_ON_READY_ENGINE: the schedule "daily"/),
  ]);
});

test('a queue that is declared twice with other limits', async () => {
  @Workflow('one', { queue: queue('mail', { concurrency: 1 }) })
  class One {
    async run(): Promise<void> {}
  }
  @Workflow('two', { queue: queue('mail', { concurrency: 2 }) })
  class Two {
    async run(): Promise<void> {}
  }

  expect(await faultsOf({ providers: [One, Two] })).toEqual([
    expect.stringMatching(/^QUEUE_NAME_TAKEN: the queue "mail"/),
  ]);
});

test('several faults are told at once', async () => {
  @Workflow('checkout')
  class Other {
    @Step()
    async run(): Promise<void> {}
  }

  const codes = (await faultsOf({ providers: [Checkout, Other] })).map((fault) => fault.split(':', 1)[0]);

  expect(codes).toEqual(['WORKFLOW_RUN_IS_STEP', 'WORKFLOW_NAME_TAKEN']);
});

test.each([
  ['worker', { worker: 'false' }],
  ['engine', { engine: 'default' }],
  ['queues', { queues: 'mail' }],
  ['schedules', { schedules: {} }],
])('a faulty option %s ends the boot', async (option, options) => {
  const boot = db.bootWith(options as never, { providers: [Checkout] });

  await expect(boot).rejects.toMatchObject({ code: 'OPTION_INVALID', details: { option } });
});

test.each([[undefined], [null], [[]]])('a module with options of %j is refused', (options) => {
  const refusal = expect.objectContaining({ code: 'OPTION_INVALID' });

  expect(() => PerdureModule.forRoot(options as never)).toThrow(refusal);
  expect(() => PerdureModule.forRootAsync(options as never)).toThrow(refusal);
});

test('the page of the package lists every fault with its remedy', () => {
  const page = readFileSync(new URL('../../../docs/reference/nestjs.md', import.meta.url), 'utf8');

  const listed = [...page.matchAll(/^\| `([A-Z_]+)` +\|.*\| (.*?) +\|$/gm)].map(([, code, remedy]) => [code, remedy]);

  expect(listed).toEqual(Object.entries(bootFaults).map(([code, { remedy }]) => [code, remedy]));
});
