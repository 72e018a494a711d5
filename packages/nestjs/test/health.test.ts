// The health indicator, through Terminus.

import { Controller, Get, Inject, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { HealthCheck, HealthCheckService, TerminusModule, type HealthCheckResult } from '@nestjs/terminus';
import { expect, test } from '@jest/globals';
import type { Engine } from 'perdure';
import { getEngineToken, PerdureHealthIndicator, PerdureModule } from '../src/index.js';
import { useNestDatabase } from './support/nest-database.js';

const db = useNestDatabase();

@Controller('health')
class HealthController {
  constructor(
    @Inject(HealthCheckService) private readonly health: HealthCheckService,
    private readonly perdure: PerdureHealthIndicator,
  ) {}

  @Get()
  @HealthCheck()
  check(): Promise<HealthCheckResult> {
    return this.health.check([() => this.perdure.isHealthy()]);
  }
}

test('Terminus tells that the engine is up, and down once it is closed', async () => {
  @Module({
    imports: [PerdureModule.forRoot(db.options()), TerminusModule.forRoot({ logger: false })],
    controllers: [HealthController],
  })
  class AppModule {}
  const app = db.closeLater(await NestFactory.create(AppModule, { logger: false }));
  await app.listen(0, '127.0.0.1');
  const url = `${await app.getUrl()}/health`;

  const up = await fetch(url);
  await app.get<Engine>(getEngineToken()).close();
  const down = await fetch(url);

  expect([up.status, await up.json()]).toMatchObject([200, { status: 'ok', info: { perdure: { status: 'up' } } }]);
  expect([down.status, await down.json()]).toMatchObject([
    503,
    { status: 'error', error: { perdure: { status: 'down', message: expect.stringContaining('ENGINE_CLOSED') } } },
  ]);
});

test('an engine whose database is gone is down, with the reason', async () => {
  const app = await db.bootWith({ schema: 'gone' }, {});
  const { query, end } = await connect();
  await query('alter schema gone rename to elsewhere'); // dropping it could deadlock with what the engine does

  const health = await app.get(PerdureHealthIndicator, { strict: false }).isHealthy('engine');

  expect(health).toMatchObject({ engine: { status: 'down', message: expect.any(String) } });
  await end();
});

async function connect(): Promise<{ query: (sql: string) => Promise<unknown>; end: () => Promise<void> }> {
  const { default: pg } = await import('pg');
  const client = new pg.Client({ connectionString: db.url });
  await client.connect();
  return { query: (sql) => client.query(sql), end: () => client.end() };
}
