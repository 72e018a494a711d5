// What an application knows of its caller goes along with its runs, and its logs know of runs.

import { AsyncLocalStorage } from 'node:async_hooks';
import { Injectable, Module, type LoggerService } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { expect, test } from '@jest/globals';
import { ClsModule, ClsService } from 'nestjs-cls';
import { log, sleep, type Engine } from 'perdure';
import {
  carryCls,
  carryStorage,
  getEngineToken,
  nestLogger,
  PerdureModule,
  Step,
  withRuns,
  Workflow,
} from '../src/index.js';
import { useNestDatabase } from './support/nest-database.js';

const db = useNestDatabase();

test('what nestjs-cls holds is there in workflow code and steps, also after the run has left memory', async () => {
  @Workflow('whose')
  class Whose {
    constructor(private readonly cls: ClsService) {}

    async run(): Promise<unknown> {
      const before = this.cls.get<unknown>('tenant');
      await sleep(50);
      return [before, this.cls.get('tenant'), await this.inStep(), this.cls.get('secret')];
    }

    @Step()
    async inStep(): Promise<unknown> {
      return this.cls.get('tenant');
    }
  }
  @Module({
    imports: [
      ClsModule.forRoot({ global: true }),
      PerdureModule.forRootAsync({
        inject: [ClsService],
        useFactory: (cls: ClsService) => db.options({ parkAfter: 0, context: carryCls(cls, ['tenant', 'user']) }),
      }),
    ],
    providers: [Whose],
  })
  class AppModule {}
  const app = db.closeLater(await NestFactory.createApplicationContext(AppModule, { logger: false }));
  const cls = app.get(ClsService, { strict: false });

  const run = await cls.run(async () => {
    cls.set('tenant', 'acme');
    cls.set('secret', 'not carried');
    return app.get<Engine>(getEngineToken(), { strict: false }).startWorkflow(Whose);
  });

  expect(await run.result()).toEqual(['acme', 'acme', 'acme', undefined]);
});

test('what a storage holds is there again in another process', async () => {
  const storage = new AsyncLocalStorage<{ user: string; password: string }>();
  @Workflow('who')
  class Who {
    async run(): Promise<unknown> {
      return storage.getStore();
    }
  }
  const context = carryStorage(storage, ['user']);
  const api = await db.bootWith({ context, worker: false }, {});
  const run = await storage.run({ user: 'ada', password: 'x' }, () =>
    api.get<Engine>(getEngineToken()).startWorkflow(Who),
  );

  await db.bootWith({ context }, { providers: [Who] });

  expect(await run.result()).toEqual({ user: 'ada' });
});

function collecting(): LoggerService & { readonly lines: string[] } {
  const lines: string[] = [];
  const write = (...values: unknown[]): number => lines.push(values.map(String).join(' | '));
  return { lines, log: write, error: write, warn: write, debug: write };
}

test('the engine logs through a logger of Nest, with run and step', async () => {
  const service = collecting();
  @Workflow('logging')
  class Logging {
    async run(): Promise<void> {
      log.info({ sku: 'A 1' }, 'in the workflow');
      await this.step();
    }

    @Step()
    async step(): Promise<void> {
      log.warn({}, 'in a step');
    }
  }
  const app = await db.bootWith({ logger: service }, { providers: [Logging] });

  await (await app.get<Engine>(getEngineToken()).startWorkflow(Logging, undefined, { id: 'log-1' })).result();

  const own = service.lines.filter((line) => line.startsWith('in '));
  expect(own).toEqual([
    'in the workflow (runId=log-1 workflow=logging sku="A 1") | Perdure',
    'in a step (runId=log-1 workflow=logging step=step attempt=1) | Perdure',
  ]);
});

test('an error is logged with its message and stack', () => {
  const service = collecting();

  nestLogger(service).error({ err: new Error('broken'), runId: 'r-1' }, 'it failed');

  expect(service.lines[0]).toMatch(/^it failed \(runId=r-1 error=broken\) \| Error: broken\n {4}at /);
});

test('a field without a value is left out of a line', () => {
  const service = collecting();

  nestLogger(service).warn({ workflow: 'order', queue: undefined, runs: 0 }, 'runs are stranded');

  expect(service.lines).toEqual(['runs are stranded (workflow=order runs=0) | Perdure']);
});

test("Nest's own logger tells the run and step, and is silent in replay", async () => {
  const service = collecting();
  const logger = withRuns(service);
  @Injectable()
  class Stock {
    @Step()
    async reserve(): Promise<void> {
      logger.log('reserving', 'Stock');
    }
  }
  @Workflow('replayed')
  class Replayed {
    constructor(private readonly stock: Stock) {}

    async run(): Promise<void> {
      logger.log({ message: 'begins' });
      await this.stock.reserve();
      await sleep(50);
      logger.debug?.('ends');
    }
  }
  const app = await db.bootWith({ parkAfter: 0 }, { providers: [Replayed, Stock] });

  await (await app.get<Engine>(getEngineToken()).startWorkflow(Replayed, undefined, { id: 'replay-1' })).result();
  logger.warn('outside');

  expect(service.lines).toEqual([
    '[object Object]',
    'reserving (runId=replay-1 step=reserve attempt=1) | Stock',
    'ends (runId=replay-1)',
    'outside',
  ]);
});
