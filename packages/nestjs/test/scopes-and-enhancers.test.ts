// Workflows whose instances are made per run, and what of Nest's enhancers applies to the method that a run calls.

import {
  Inject,
  Injectable,
  Scope,
  UseFilters,
  UseGuards,
  UseInterceptors,
  UsePipes,
  ValidationPipe,
  type CanActivate,
  type ExecutionContext,
  type ExceptionFilter,
  type NestInterceptor,
} from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import { expect, test } from '@jest/globals';
import { IsString } from 'class-validator';
import type { Engine } from 'perdure';
import { getEngineToken, Step, Workflow, type RunRequest } from '../src/index.js';
import { useNestDatabase } from './support/nest-database.js';

const db = useNestDatabase();

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

test('a run of a scoped workflow fails when the instance that is made for it lacks the method', async () => {
  @Workflow('made per run')
  class Made {
    async run(): Promise<void> {}
  }
  const provider = { provide: Made, useFactory: () => ({}), scope: Scope.REQUEST };
  const app = await db.boot({ providers: [provider] });

  const run = await app.get<Engine>(getEngineToken()).startWorkflow(Made);

  await expect(run.result()).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    details: {
      faults: [expect.stringMatching(/^WORKFLOW_WITHOUT_RUN: .* has no method run, .*"made per run"/)],
    },
  });
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
