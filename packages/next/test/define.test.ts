// One engine per name and process, however often its file is evaluated.

import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { expect, jest, test } from '@jest/globals';
import { waitFor } from '@perdure/testing';
import { queue, runStep, schedule, silentLogger, sleep, workflow } from 'perdure';
import { definePerdure } from '../src/index.js';
import { useApplications } from './support/applications.js';

const applications = useApplications();
const unreachable = 'postgres://perdure@127.0.0.1:1/nowhere';

test('a second evaluation of the file stands for the engine that the first one booted', async () => {
  const greet = workflow('greet', async (name: string) => `Hello ${name}`);
  const first = await applications.boot({ workflows: [greet] });

  const second = definePerdure({ name: first.name, database: 'postgres://nowhere', workflows: [greet] });

  expect(await second.engine()).toBe(await first.engine());
  expect(await (await second.startWorkflow(greet, 'Ada')).result()).toBe('Hello Ada');
});

test.each([[undefined], [null], ['postgres://nowhere'], [{ name: 7 }]])(
  'an application of %j is refused',
  (options) => {
    expect(() => definePerdure(options as never)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
  },
);

test('a drive without a budget is refused', async () => {
  const perdure = await applications.boot();

  await expect(perdure.drive(undefined as never)).rejects.toMatchObject({ code: 'OPTION_INVALID' });
});

test('booting at the same time and again launches one engine', async () => {
  const perdure = applications.define();
  await Promise.all([perdure.boot(), perdure.boot()]);
  const engine = await perdure.engine();

  await perdure.boot();

  expect(await perdure.engine()).toBe(engine);
});

test('an edited workflow is what runs start from then on, and runs in flight keep the code that they began with', async () => {
  const first = workflow('edited', async () => {
    await sleep(300);
    return runStep('say', () => 'before');
  });
  const perdure = await applications.boot({ workflows: [first] });
  const inFlight = await perdure.startWorkflow(first);

  const edited = workflow('edited', async () => runStep('say', () => 'after'));
  definePerdure({ name: perdure.name, database: applications.url, workflows: [edited] });
  const later = await perdure.startWorkflow(edited);

  expect(await later.result()).toBe('after');
  expect(await inFlight.result()).toBe('before');
});

test('a queue that an edit adds is known without a restart', async () => {
  const job = workflow('job', async () => 'done');
  const perdure = await applications.boot({ workflows: [job] });
  const engine = await perdure.engine();

  definePerdure({ name: perdure.name, database: applications.url, queues: [queue('added', { concurrency: 1 })] });

  const added = await waitFor(() => engine.queues.get('added'), { what: 'the new queue' });
  expect(added.limits).toMatchObject({ concurrency: 1 });
});

test('schedules that an edit changes or adds are so without a restart', async () => {
  const job = workflow('scheduled job', async () => undefined);
  const [kept, added] = [schedule('kept', '@yearly', job), schedule('added', { every: '1s' }, job)];
  const perdure = await applications.boot({ workflows: [job], schedules: [kept] });
  const { schedules, runs } = await perdure.engine();

  const changed = schedule('kept', '@monthly', job);
  definePerdure({ name: perdure.name, database: applications.url, workflows: [job], schedules: [changed, added] });

  const list = (): Promise<unknown> => runs.list({ idPrefix: 'schedule/added/' }).then(({ runs: [run] }) => run);
  await waitFor(list, { what: 'a run of the new schedule' });
  expect(await schedules.get('kept')).toMatchObject({ cron: '@monthly' });
});

test('an engine that was not booted says what to add', async () => {
  const perdure = applications.define();

  await expect(perdure.engine()).rejects.toMatchObject({
    code: 'ENGINE_NOT_BOOTED',
    message: expect.stringContaining('instrumentation.ts'),
  });
});

test('while Next builds, an engine that is used says that the page is rendered too early', async () => {
  const perdure = applications.define();
  process.env['NEXT_PHASE'] = 'phase-production-build';

  try {
    await expect(perdure.engine()).rejects.toThrow('await connection()');
  } finally {
    delete process.env['NEXT_PHASE'];
  }
});

test('a boot that failed can be tried again', async () => {
  const perdure = applications.define({ database: unreachable });
  await expect(perdure.boot()).rejects.toMatchObject({ code: 'DATABASE_UNREACHABLE' });

  definePerdure({ name: perdure.name, database: applications.url });

  await expect(perdure.boot()).resolves.toBeUndefined();
});

// With an application whose database cannot be reached, and what it is warned of.
async function inProduction(
  act: (perdure: ReturnType<typeof applications.define>, warnings: readonly unknown[]) => Promise<void>,
): Promise<void> {
  const environment = jest.replaceProperty(process, 'env', { ...process.env, NODE_ENV: 'production' });
  const warnings: unknown[] = [];
  const warn = (fields: unknown): void => void warnings.push(fields);
  try {
    await act(applications.define({ database: unreachable, logger: { ...silentLogger, warn } }), warnings);
  } finally {
    environment.restore();
  }
}

test('in production, boot waits for a database that cannot be reached, as Next does not call it again', () =>
  inProduction(async (perdure, warnings) => {
    const booting = perdure.boot();
    await waitFor(() => warnings.length > 0, { what: 'a warning' });

    definePerdure({ name: perdure.name, database: applications.url, logger: silentLogger });

    await expect(booting).resolves.toBeUndefined();
    expect(warnings[0]).toMatchObject({ err: { code: 'DATABASE_UNREACHABLE' } });
  }));

test('a boot that waits for the database ends when the engine is closed', () =>
  inProduction(async (perdure, warnings) => {
    const booting = perdure.boot();
    await waitFor(() => warnings.length > 0, { what: 'a warning' });

    await perdure.close();

    await expect(booting).rejects.toMatchObject({ code: 'DATABASE_UNREACHABLE' });
  }));

test('closed and booted again while a boot waits for the database, there is one engine', () =>
  inProduction(async (perdure, warnings) => {
    const waiting = perdure.boot();
    waiting.catch(() => undefined);
    await waitFor(() => warnings.length > 0, { what: 'a warning' });
    definePerdure({ name: perdure.name, database: applications.url, logger: silentLogger });

    await Promise.all([perdure.close(), perdure.boot()]);

    await expect(waiting).rejects.toMatchObject({ code: 'DATABASE_UNREACHABLE' });
    await expect(perdure.engine()).resolves.toBeDefined();
  }));

test('closed in the middle of a boot, no engine stays behind', async () => {
  const job = workflow('late job', async () => 'done');
  const perdure = applications.define({ workflows: [job] });
  const booting = perdure.boot();
  const launched = perdure.engine();

  await perdure.close();

  await booting;
  await expect((await launched).startWorkflow(job)).rejects.toMatchObject({ code: 'ENGINE_CLOSED' });
  await expect(perdure.engine()).rejects.toMatchObject({ code: 'ENGINE_NOT_BOOTED' });
});

test('a step that is under way while the engine is closed may still start a run', async () => {
  const child = workflow('child of the last step', async () => undefined);
  const [working, goOn] = [new AbortController(), new AbortController()];
  const parent = workflow('last step', () =>
    runStep('start', async () => {
      working.abort();
      await waitFor(() => goOn.signal.aborted, { what: 'the word to go on' });
      return (await perdure.startWorkflow(child, undefined, { id: 'started late' })).id;
    }),
  );
  const perdure = await applications.boot({ workflows: [parent, child] });
  const run = await perdure.startWorkflow(parent);
  await waitFor(() => working.signal.aborted, { what: 'the step' });

  const closing = perdure.close();
  goOn.abort();
  await closing;
  await perdure.boot();

  expect(await (await perdure.engine()).getHandle(run.id).result()).toBe('started late');
});

test.each([
  ['waits for the database', true],
  ['waits for its answer', false],
])('a boot that %s ends when the process is told to end', async (_what, isRefused) => {
  const environment = jest.replaceProperty(process, 'env', { ...process.env, NODE_ENV: 'production' });
  const [asked, warnings] = [new Set<Socket>(), new Set<unknown>()];
  const logger = { ...silentLogger, warn: (fields: unknown) => void warnings.add(fields) };
  const server = createServer((socket) => void (isRefused ? socket.destroy() : asked.add(socket)));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  process.on('SIGTERM', listenerOfNext);
  const others = process.listeners('SIGTERM');
  try {
    const booting = applications.define({ database: `postgres://perdure@127.0.0.1:${port}/none`, logger }).boot();
    booting.catch(() => undefined);
    await waitFor(() => asked.size + warnings.size > 0, { what: 'the first attempt' });

    for (const told of process.listeners('SIGTERM')) if (!others.includes(told)) told('SIGTERM'); // an event would end the test runner
    for (const socket of asked) socket.destroy();

    await expect(booting).rejects.toMatchObject({ code: 'DATABASE_UNREACHABLE' });
    expect(process.listeners('SIGTERM')).toEqual(others);
  } finally {
    process.removeListener('SIGTERM', listenerOfNext);
    server.close();
    environment.restore();
  }
});

function listenerOfNext(): void {}

test('engines of other names are other engines', async () => {
  const [one, other] = await Promise.all([applications.boot(), applications.boot()]);

  expect(await one.engine()).not.toBe(await other.engine());
});

test('an engine that is closed can be booted again', async () => {
  const greet = workflow('greet again', async () => 'hello');
  const perdure = await applications.boot({ workflows: [greet] });
  await perdure.close();

  await perdure.boot();

  expect(await (await perdure.startWorkflow(greet)).result()).toBe('hello');
});

test('a run does not see the request that started it', async () => {
  const requests = new AsyncLocalStorage<string>();
  const look = workflow('look', async () => [requests.getStore(), await runStep('in step', () => requests.getStore())]);
  const perdure = await applications.boot({ workflows: [look] });

  const run = await requests.run('GET /', () => perdure.startWorkflow(look));

  expect(await run.result()).toEqual([undefined, undefined]);
});

test('a driven engine runs nothing by itself, and what is due when it is driven', async () => {
  const job = workflow('driven job', async () => runStep('work', () => 'done'));
  const perdure = await applications.boot({ workflows: [job], driven: true });
  const run = await perdure.startWorkflow(job);
  const before = await run.status();

  await perdure.drive({ budget: '5s' });

  expect([before, await run.status()]).toEqual(['queued', 'succeeded']);
});

test('a run that does not fit into a budget goes on at the next drive, in another instance, behind its last step', async () => {
  const executed: string[] = [];
  const long = workflow('long job', async () => {
    for (const part of ['one', 'two', 'three']) {
      await runStep(part, async () => {
        executed.push(part);
        await new Promise((resolve) => setTimeout(resolve, 150));
      });
    }
    return executed.length;
  });
  const [first, second] = await Promise.all([
    applications.boot({ workflows: [long], driven: true, lease: '500ms' }),
    applications.boot({ workflows: [long], driven: true, lease: '500ms' }),
  ]);
  const run = await first.startWorkflow(long);

  await first.drive({ budget: '200ms' });
  const doneBefore = [...executed];
  await second.drive({ budget: '10s' });

  expect(await run.status()).toBe('succeeded');
  expect(doneBefore.length).toBeLessThan(3);
  expect(executed).toEqual(['one', 'two', 'three']);
});
