// A Nest application without HTTP, in a process of its own, to be killed in the middle of a run.

import 'reflect-metadata';
import { Inject, Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AsyncLocalStorage } from 'node:async_hooks';
import { carryStorage, PerdureModule, Step, Workflow } from '../../src/index.js';

const callers = new AsyncLocalStorage<{ tenant: string }>();

@Injectable()
class Ledger {
  write(line: string): void {
    console.log(`${line} for ${callers.getStore()?.tenant}`);
  }
}

@Workflow('crashing')
class Crashing {
  constructor(@Inject(Ledger) private readonly ledger: Ledger) {}

  async run(sku: string): Promise<string> {
    await this.charge(sku);
    return this.ship(sku);
  }

  @Step()
  async charge(sku: string): Promise<void> {
    this.ledger.write(`charged ${sku}`);
  }

  @Step()
  async ship(sku: string): Promise<string> {
    this.ledger.write(`shipped ${sku}`);
    return `shipped by ${process.argv[2]}`;
  }
}

@Module({
  imports: [
    PerdureModule.forRoot({
      database: process.env['DATABASE_URL'],
      lease: '1s',
      context: carryStorage(callers, ['tenant']),
    }),
  ],
  providers: [Crashing, Ledger],
})
class WorkerModule {}

const app = await NestFactory.createApplicationContext(WorkerModule, { logger: ['error'] });
app.enableShutdownHooks();
console.log('booted');
