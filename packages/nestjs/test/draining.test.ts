// What a request gets that comes while the engine drains: the server still listens, and other processes have to take the start.

import { Body, Controller, Module, Post, type INestApplication, type Type } from '@nestjs/common';
import { APP_FILTER, NestFactory, type AbstractHttpAdapter } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { expect, test } from '@jest/globals';
import { silentLogger } from 'perdure';
import { InjectWorkflow, PerdureModule, Step, Workflow, type WorkflowRef } from '../src/index.js';
import { PerdureExceptionFilter, PerdureHttpModule } from '../src/http/index.js';
import { useNestDatabase } from './support/nest-database.js';

const db = useNestDatabase();
const steps = { began: (): void => undefined, end: (): void => undefined };

@Workflow('import')
class ImportWorkflow {
  async run(_file: string): Promise<void> {
    await this.load();
  }

  @Step()
  async load(): Promise<void> {
    await new Promise<void>((resolve) => {
      steps.end = resolve;
      steps.began();
    });
  }
}

@Controller('imports')
class ImportsController {
  constructor(@InjectWorkflow(ImportWorkflow) private readonly imports: WorkflowRef<ImportWorkflow>) {}

  @Post()
  async create(@Body() { file }: { file: string }): Promise<{ id: string }> {
    return { id: (await this.imports.start(file)).id };
  }
}

async function serve(adapter: Type<AbstractHttpAdapter>): Promise<{ app: INestApplication; url: string }> {
  @Module({
    imports: [
      PerdureModule.forRoot(db.options()),
      PerdureHttpModule.forRoot({ expose: [ImportWorkflow], logger: silentLogger }),
    ],
    controllers: [ImportsController],
    providers: [ImportWorkflow, { provide: APP_FILTER, useClass: PerdureExceptionFilter }],
  })
  class AppModule {}
  const app = db.closeLater(await NestFactory.create(AppModule, new adapter(), { logger: false }));
  await app.listen(0, '127.0.0.1');
  return { app, url: await app.getUrl() };
}

function post(url: string, body: unknown): Promise<Response> {
  return fetch(url, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } });
}

test.each([
  ['Express', ExpressAdapter],
  ['Fastify', FastifyAdapter],
])('on %s, a start gets 503 with Retry-After, by the protocol and in a controller', async (_name, adapter) => {
  const { app, url } = await serve(adapter);
  const began = new Promise<void>((resolve) => (steps.began = resolve));
  await post(`${url}/imports`, { file: 'a.csv' });
  await began;

  const closing = app.close();
  const answers = await Promise.all([
    post(`${url}/perdure/start/import`, 'b.csv'),
    post(`${url}/imports`, { file: 'b.csv' }),
  ]);
  steps.end();
  await closing;

  for (const answer of answers) {
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1']);
    expect(await answer.json()).toMatchObject({ code: 'ENGINE_CLOSED' });
  }
});
