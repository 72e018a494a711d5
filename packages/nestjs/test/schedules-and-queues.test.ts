// @Scheduled on workflow classes and on methods, and queues that workflow classes bring along.

import { Inject, Injectable } from '@nestjs/common';
import { expect, test } from '@jest/globals';
import { waitFor } from '@perdure/testing';
import { queue, type Engine, type Tick } from 'perdure';
import { getEngineToken, InjectWorkflow, Scheduled, Step, Workflow, type WorkflowRef } from '../src/index.js';
import { useNestDatabase } from './support/nest-database.js';

const db = useNestDatabase();

@Injectable()
class Reports {
  readonly sent: string[] = [];

  @Scheduled({ every: '1s' }, { name: 'report', input: 'sales' })
  async report({ schedule, input, scheduledAt }: Tick<string>): Promise<string> {
    return this.send(`${schedule} of ${input} at ${scheduledAt.getMilliseconds()}`);
  }

  @Step()
  async send(line: string): Promise<string> {
    this.sent.push(line);
    return line;
  }
}

test('a scheduled method runs as a workflow, with its tick, and its steps are recorded', async () => {
  const app = await db.boot({ providers: [Reports] });
  const engine = app.get<Engine>(getEngineToken());

  await waitFor(() => app.get(Reports).sent.length > 0, { what: 'a report' });

  expect(app.get(Reports).sent[0]).toBe('report of sales at 0');
  const run = (await engine.runs.list({ workflow: 'report' })).runs.at(-1);
  await engine.getHandle(String(run?.id)).result();
  const steps = await engine.runs.steps(String(run?.id));
  expect(steps.map(({ name }) => name)).toEqual(['send']);
});

test('a scheduled workflow class has a schedule of its name, and may have others', async () => {
  @Scheduled('@daily', { timeZone: 'Europe/Berlin' })
  @Scheduled('0 * * * *', { name: 'hourly digest', overlap: 'skip' })
  @Workflow('digest')
  class Digest {
    async run({ schedule }: Tick): Promise<string> {
      return schedule;
    }
  }
  const app = await db.bootWith({ schema: 'digests' }, { providers: [Digest] });
  const { schedules } = app.get<Engine>(getEngineToken());

  const run = await schedules.trigger('hourly digest');

  expect(await run.result()).toBe('hourly digest');
  const listed = (await schedules.list()).map(({ name, cron, timeZone, overlap }) => [name, cron, timeZone, overlap]);
  expect(listed).toEqual([
    ['digest', '@daily', 'Europe/Berlin', 'allow'],
    ['hourly digest', '0 * * * *', 'UTC', 'skip'],
  ]);
});

test('the schedules of an overridden provider run what it is overridden with', async () => {
  const sent: string[] = [];
  class Fake extends Reports {
    @Step()
    override async send(line: string): Promise<string> {
      sent.push(line);
      return line;
    }
  }
  const app = await db.boot({ providers: [Reports] }, (builder) => builder.overrideProvider(Reports).useClass(Fake));

  const run = await app.get<Engine>(getEngineToken()).schedules.trigger('report');

  expect(await run.result()).toMatch(/^report of sales/);
  expect(sent.length).toBeGreaterThan(0);
});

test('a process that is no worker declares no schedule', async () => {
  const app = await db.bootWith({ worker: false, schema: 'apart' }, { providers: [Reports] });

  expect(await app.get<Engine>(getEngineToken()).schedules.list()).toEqual([]);
});

test('the queue of a workflow class is declared, and its runs go there', async () => {
  const mail = queue('mail', { concurrency: 1, perKey: { concurrency: 1 } });
  let most = 0;
  let under = 0;
  @Workflow('send mail', { queue: mail })
  class SendMail {
    async run(_to: string): Promise<void> {
      await this.send();
    }

    @Step()
    async send(): Promise<void> {
      most = Math.max(most, (under += 1));
      await new Promise((resolve) => setTimeout(resolve, 10));
      under -= 1;
    }
  }
  @Injectable()
  class Caller {
    constructor(
      @InjectWorkflow(SendMail) readonly mails: WorkflowRef<SendMail>,
      @Inject(getEngineToken()) readonly engine: Engine,
    ) {}
  }
  const { mails, engine } = (await db.boot({ providers: [SendMail, Caller] })).get(Caller);

  const runs = await Promise.all(['a', 'b', 'a'].map((to) => mails.start(to, { partitionKey: to })));
  await Promise.all(runs.map((run) => run.result()));

  expect(most).toBe(1);
  expect(await engine.runs.get(String(runs[0]?.id))).toMatchObject({ queue: 'mail' });
});

// As TypeScript compiles decorators without experimentalDecorators: a value, and what it is.
test('the decorators of TC39 do the same', async () => {
  class Plain {
    async run(name: string): Promise<string> {
      return `Hello ${name}`;
    }

    async tick({ schedule }: Tick): Promise<string> {
      return schedule;
    }
  }
  const { tick } = Object.getOwnPropertyDescriptors(Plain.prototype);
  const context = { kind: 'method', name: 'tick' } as ClassMethodDecoratorContext<Plain>;
  Scheduled('@yearly', { name: 'yearly tick' })(tick.value as Plain['tick'], context as never);
  Workflow('of TC39')(Plain, { kind: 'class', name: 'Plain' } as ClassDecoratorContext<typeof Plain>);
  const engine = (await db.boot({ providers: [Plain] })).get<Engine>(getEngineToken());

  const runs = [await engine.startWorkflow(Plain, 'Ada'), await engine.schedules.trigger('yearly tick')];

  expect(await Promise.all(runs.map((run) => run.result()))).toEqual(['Hello Ada', 'yearly tick']);
});
