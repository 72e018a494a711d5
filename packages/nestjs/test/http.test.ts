// The protocol as a controller: behind guards and prefixes, beside Nest's own parsers, on both platforms.

import {
  Body,
  Controller,
  Get,
  Injectable,
  Module,
  NotFoundException,
  Param,
  Post,
  type CanActivate,
  type ExecutionContext,
  type INestApplication,
  type Type,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, NestFactory, type AbstractHttpAdapter } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { describe, expect, test } from '@jest/globals';
import { IsInt, IsPositive, IsString } from 'class-validator';
import type { Engine } from 'perdure';
import { InjectEngine, PerdureModule, Step, Workflow } from '../src/index.js';
import { addWorkflowPaths, PerdureExceptionFilter, PerdureHttpModule } from '../src/http/index.js';
import { useNestDatabase } from './support/nest-database.js';

const db = useNestDatabase();

class CheckoutDto {
  @IsString()
  readonly sku: string = '';

  @IsInt()
  @IsPositive()
  readonly count: number = 0;
}

@Workflow('checkout', { input: CheckoutDto })
class CheckoutWorkflow {
  async run(order: CheckoutDto): Promise<string> {
    return `${order.count} ${order.sku}`;
  }
}

@Workflow('report')
class ReportWorkflow {
  async run({ size, isMissing }: { size: number; isMissing: boolean }): Promise<string> {
    if (isMissing) await this.load();
    return 'x'.repeat(size);
  }

  @Step()
  async load(): Promise<void> {
    throw new NotFoundException('no such report');
  }
}

interface User {
  readonly user?: { readonly id: string };
}

@Injectable()
class AuthGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<User & { headers: Record<string, string | undefined> }>();
    const id = request.headers['authorization'];
    Object.assign(request, { user: { id } });
    return id !== undefined;
  }
}

@Controller('orders')
class OrdersController {
  constructor(@InjectEngine() private readonly engine: Engine) {}

  @Post()
  async create(@Body() body: { id: string; order: CheckoutDto }): Promise<{ id: string }> {
    const options = { id: body.id, onDuplicate: 'reject' } as const;
    return { id: (await this.engine.startWorkflow(CheckoutWorkflow, body.order, options)).id };
  }

  @Get(':id')
  async read(@Param('id') id: string): Promise<{ status: string }> {
    return { status: await this.engine.getHandle(id).status() };
  }
}

@Controller('reports')
class ReportsController {
  constructor(@InjectEngine() private readonly engine: Engine) {}

  @Post('as-thrown')
  async asThrown(@Body() { size = 1, text = '' }: { size?: number; text?: string }): Promise<string> {
    const input = { size, isMissing: size === 0, text };
    return (await this.engine.startWorkflow(ReportWorkflow, input)).result();
  }

  @Post('translated')
  async translated(): Promise<string> {
    const run = await this.engine.startWorkflow(ReportWorkflow, { size: 1, isMissing: true });
    return run.result().catch((error: unknown) => {
      if (error instanceof Error && error.name === 'NotFoundException') throw new NotFoundException(error.message);
      throw error;
    });
  }
}

async function serve(adapter: Type<AbstractHttpAdapter>): Promise<{ app: INestApplication; url: string }> {
  @Module({
    imports: [
      PerdureModule.forRoot(db.options({ maxPayloadBytes: 2_000 })),
      PerdureHttpModule.forRoot({
        path: 'workflows',
        expose: [CheckoutWorkflow],
        principal: (request: User) => request.user?.id,
      }),
    ],
    controllers: [OrdersController, ReportsController],
    providers: [
      CheckoutWorkflow,
      ReportWorkflow,
      { provide: APP_GUARD, useClass: AuthGuard },
      { provide: APP_FILTER, useClass: PerdureExceptionFilter },
    ],
  })
  class AppModule {}
  const app = db.closeLater(await NestFactory.create(AppModule, new adapter(), { logger: false }));
  app.setGlobalPrefix('api');
  await app.listen(0, '127.0.0.1');
  return { app, url: `${await app.getUrl()}/api` };
}

function post(url: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  const own = { 'content-type': 'application/json', authorization: 'ada' };
  return fetch(url, { method: 'POST', body: JSON.stringify(body), headers: { ...own, ...headers } });
}

describe.each([
  ['Express', ExpressAdapter],
  ['Fastify', FastifyAdapter],
] as const)('on %s', (name, adapter) => {
  test('a request starts a run below the prefix of the application, and finds it again', async () => {
    const { url } = await serve(adapter);

    const started = await post(`${url}/workflows/start/checkout`, { sku: 'A-1', count: 2 }, { prefer: 'wait=10' });
    const body = (await started.json()) as { id: string; output: unknown };
    const read = await fetch(`${url}/workflows/runs/${body.id}`, { headers: { authorization: 'ada' } });

    expect([started.status, body.output]).toEqual([200, '2 A-1']);
    expect(await read.json()).toMatchObject({ id: body.id, status: 'succeeded' });
  });

  test('the guards of the application stand before it, and name the principal', async () => {
    const { url } = await serve(adapter);
    const start = (user: string): Promise<Response> =>
      post(
        `${url}/workflows/start/checkout`,
        { sku: 'A-1', count: 1 },
        { authorization: user, 'idempotency-key': '"order 7"' },
      );

    const refused = await fetch(`${url}/workflows/start/checkout`, { method: 'POST' });
    const idOf = async (user: string): Promise<unknown> => ((await (await start(user)).json()) as { id: string }).id;
    const ids = [await idOf('ada'), await idOf('ada'), await idOf('bob')];

    expect(refused.status).toBe(403);
    expect([ids[0] === ids[1], ids[0] === ids[2]]).toEqual([true, false]);
  });

  test('a class with the decorators of class-validator checks the input', async () => {
    const { url } = await serve(adapter);

    const answer = await post(`${url}/workflows/start/checkout`, { sku: 7, count: -1 });

    const problem = (await answer.json()) as { code: string; errors: readonly { pointer: string }[] };
    expect([answer.status, problem.code]).toEqual([422, 'INPUT_INVALID']);
    expect(problem.errors.map(({ pointer }) => pointer)).toEqual(['#/sku', '#/count']);
  });

  test('the filter answers errors of the engine with problem details', async () => {
    const { url } = await serve(adapter);
    const id = `twice on ${name}`;
    await post(`${url}/orders`, { id, order: { sku: 'A-1', count: 1 } });

    const conflict = await post(`${url}/orders`, { id, order: { sku: 'A-1', count: 1 } });
    const missing = await fetch(`${url}/orders/nobody`, { headers: { authorization: 'ada' } });

    expect([conflict.status, missing.status]).toEqual([409, 404]);
    expect(conflict.headers.get('content-type')).toContain('application/problem+json');
    expect(await conflict.json()).toMatchObject({ code: 'RUN_EXISTS', status: 409 });
  });

  test('an input that is too large is the fault of the request, a result that is too large is not', async () => {
    const { url } = await serve(adapter);

    const input = await post(`${url}/reports/as-thrown`, { text: 'x'.repeat(2_000) });
    const result = await post(`${url}/reports/as-thrown`, { size: 2_000 });

    expect([input.status, result.status]).toEqual([413, 500]);
    expect(await result.json()).toMatchObject({ code: 'PAYLOAD_TOO_LARGE', status: 500 });
  });

  test('an HttpException that a step threw is the 500 of a failed run, unless the controller translates it', async () => {
    const { url } = await serve(adapter);

    const thrown = await post(`${url}/reports/as-thrown`, { size: 0 });
    const translated = await post(`${url}/reports/translated`, {});

    expect([thrown.status, translated.status]).toEqual([500, 404]);
    expect(await translated.json()).toMatchObject({ message: 'no such report' });
  });

  test('the document of Swagger has the routes of workflows beside those of controllers', async () => {
    const { app } = await serve(adapter);
    const document = SwaggerModule.createDocument(app, new DocumentBuilder().build());

    const { paths } = addWorkflowPaths(document, { basePath: '/api/workflows', expose: [CheckoutWorkflow] });

    expect(Object.keys(paths).sort()).toEqual([
      '/api/orders',
      '/api/orders/{id}',
      '/api/reports/as-thrown',
      '/api/reports/translated',
      '/api/workflows/runs/{id}',
      '/api/workflows/runs/{id}/events',
      '/api/workflows/start/checkout',
    ]);
  });
});

test('an application without HTTP may import the module', async () => {
  @Module({
    imports: [PerdureModule.forRoot(db.options()), PerdureHttpModule.forRoot({ expose: [] })],
  })
  class WorkerModule {}

  const app = db.closeLater(await NestFactory.createApplicationContext(WorkerModule, { logger: false }));

  expect(app).toBeDefined();
});

test('options of the protocol come from a factory, with guards of its own', async () => {
  class Nobody implements CanActivate {
    canActivate(): boolean {
      return false;
    }
  }
  @Injectable()
  class Config {
    readonly expose = [CheckoutWorkflow];
  }
  @Module({ providers: [Config], exports: [Config] })
  class ConfigModule {}
  @Module({
    imports: [
      PerdureModule.forRoot(db.options()),
      PerdureHttpModule.forRootAsync({
        path: '/open/',
        imports: [ConfigModule],
        inject: [Config],
        useFactory: ({ expose }: Config) => ({ expose }),
      }),
      PerdureHttpModule.forRoot({ path: 'closed', expose: [CheckoutWorkflow], guards: [Nobody] }),
    ],
    providers: [CheckoutWorkflow],
  })
  class AppModule {}
  const app = db.closeLater(await NestFactory.create(AppModule, { logger: false }));
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();

  const open = await post(`${url}/open/start/checkout`, { sku: 'A-1', count: 1 });
  const closed = await post(`${url}/closed/start/checkout`, { sku: 'A-1', count: 1 });

  expect([open.status, closed.status]).toEqual([202, 403]);
});
