// What users test their workflows with.

import { Controller, Get, Injectable, Module, Param, type INestApplication } from '@nestjs/common';
import { expect, test } from '@jest/globals';
import { receive, sleep, topic, type Tick } from 'perdure';
import pg from 'pg';
import { InjectWorkflow, PerdureModule, Scheduled, Step, Workflow, type WorkflowRef } from '../src/index.js';
import { createPerdureTest } from '../src/testing/index.js';

@Injectable()
class Payments {
  async charge(_sku: string): Promise<string> {
    throw new Error('no real payments in tests');
  }
}

const approval = topic<boolean>('approval');

@Workflow('order')
class OrderWorkflow {
  constructor(private readonly payments: Payments) {}

  async run(sku: string): Promise<string> {
    const payment = await this.charge(sku);
    await sleep('3 days');
    const isApproved = await receive(approval, { timeout: '1 day' });
    return `${payment} ${isApproved === undefined ? 'in vain' : 'approved'}`;
  }

  @Step()
  async charge(sku: string): Promise<string> {
    return this.payments.charge(sku);
  }
}

@Injectable()
class Reports {
  readonly sent: Date[] = [];

  @Scheduled('0 * * * *', { name: 'hourly report' })
  async report({ scheduledAt }: Tick): Promise<void> {
    this.sent.push(scheduledAt);
  }
}

@Controller('orders')
class OrdersController {
  constructor(@InjectWorkflow(OrderWorkflow) private readonly orders: WorkflowRef<OrderWorkflow>) {}

  @Get(':sku')
  async order(@Param('sku') sku: string): Promise<{ id: string }> {
    return { id: (await this.orders.start(sku)).id };
  }
}

@Module({
  imports: [PerdureModule.forRoot({ database: process.env['NOT_SET'] })],
  controllers: [OrdersController],
  providers: [OrderWorkflow, Payments],
})
class AppModule {}

const paid = { charge: async (sku: string) => `paid ${sku}` };

test('days pass in a moment, with the providers overridden', async () => {
  await using world = await createPerdureTest(
    { imports: [AppModule] },
    { override: (builder) => builder.overrideProvider(Payments).useValue(paid) },
  );
  const run = await world.engine.startWorkflow(OrderWorkflow, 'A-1');

  await world.clock.advance('4 days');

  expect(await run.result()).toBe('paid A-1 in vain');
  expect((await world.stepsOf(run)).map(({ name }) => name)).toContain('charge');
});

test('a schedule ticks with the time of the test', async () => {
  await using world = await createPerdureTest(
    { imports: [AppModule], providers: [Reports] },
    { startsAt: new Date('2026-01-01T11:30:00Z') },
  );

  await world.clock.advance('2 hours');

  expect(world.app.get(Reports).sent).toEqual([new Date('2026-01-01T12:00:00Z'), new Date('2026-01-01T13:00:00Z')]);
});

test('a crash between a step and its record has the step executed again', async () => {
  const charged: string[] = [];
  const counting = { charge: async (sku: string) => `payment ${charged.push(sku)}` };
  await using world = await createPerdureTest(
    { imports: [AppModule] },
    { override: (builder) => builder.overrideProvider(Payments).useValue(counting) },
  );
  const crashed = world.crashAt('charge');

  const run = await world.engine.startWorkflow(OrderWorkflow, 'A-2');
  await crashed;
  await world.clock.advance('3 days');
  await world.engine.send(run.id, approval, true);

  expect(await run.result()).toBe('payment 2 approved');
  expect(charged).toEqual(['A-2', 'A-2']);
});

test('a step can be replaced, and an application with HTTP be tested', async () => {
  await using world = await createPerdureTest(
    { imports: [AppModule] },
    { application: (module): INestApplication => module.createNestApplication(), time: 'skipping' },
  );
  world.mockStep('charge', () => 'mocked');
  await world.app.listen(0, '127.0.0.1');

  const response = await fetch(`${await world.app.getUrl()}/orders/A-3`);
  const { id } = (await response.json()) as { id: string };

  expect(await world.engine.getHandle(id).result()).toBe('mocked in vain');
});

test('what the application has beside the engine can be in the database of the test', async () => {
  @Injectable()
  class Shop {
    readonly url: string = 'postgres://of-production';
  }
  await using world = await createPerdureTest(
    { imports: [AppModule], providers: [Shop] },
    { override: (builder, database) => builder.overrideProvider(Shop).useValue({ url: database.url }) },
  );
  const run = await world.engine.startWorkflow(OrderWorkflow, 'A-4');
  const client = new pg.Client({ connectionString: world.app.get(Shop).url });
  await client.connect();

  const { rows } = await client.query('select id from perdure.runs');

  await client.end();
  expect(rows).toEqual([{ id: run.id }]);
});

test('an application without the module of the engine is told so', async () => {
  const boot = createPerdureTest({ providers: [Payments] }, { name: 'billing' });

  await expect(boot).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringMatching(/no PerdureModule of the engine "billing", .* import PerdureModule\.forRoot/),
  });
});
