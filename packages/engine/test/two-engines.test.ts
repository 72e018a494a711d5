// Two engines on two databases in one process.

import { afterEach, expect, test } from '@jest/globals';
import { waitFor } from '@perdure/testing';
import { runStep, sleep, startWorkflow, workflow, type Engine } from '../src/index.js';
import { perdureErrorOf } from './support/perdure-error-of.js';
import { startTcpProxy, type TcpProxy } from './support/tcp-proxy.js';
import { useEngineDatabase, type EngineDatabase } from './support/test-engine.js';

const left = useEngineDatabase();
const right = useEngineDatabase();
let proxy: TcpProxy | undefined;

afterEach(async () => {
  await proxy?.stop();
});

const idsIn = async (db: EngineDatabase, prefix: string): Promise<string[]> =>
  (await db.query<{ id: string }>('select id from perdure.runs where id like $1 order by id', [`${prefix}%`])).map(
    ({ id }) => id,
  );

test('the same workflow under the same id runs in each, on its own input and history [175]', async () => {
  const greet = workflow('greet', async (name: string) => {
    const greeting = await runStep('compose', () => `Hello ${name}`);
    await sleep('50ms');
    return greeting;
  });
  const engines = await Promise.all([left, right].map((db) => db.launchEngine({ workflows: [greet], parkAfter: 0 })));

  const runs = await Promise.all(engines.map((engine, n) => engine.startWorkflow(greet, `${n}`, { id: 'same' })));

  expect(await Promise.all(runs.map((run) => run.result()))).toEqual(['Hello 0', 'Hello 1']);
  expect(runs.map((run) => run.isNew)).toEqual([true, true]);
  const outputs = await Promise.all(
    engines.map(async (engine) => (await engine.runs.steps('same')).map((s) => s.output)),
  );
  expect(outputs).toEqual([['Hello 0', undefined], ['Hello 1', undefined]]); // prettier-ignore
});

test('what a run starts goes into the database of that run, however the engines take turns [175]', async () => {
  const child = workflow('child', async (n: number) => runStep('double', () => n * 2));
  const parent = workflow('parent', async (n: number) => {
    await startWorkflow(child, n, { id: `started ${n}` });
    return child(n);
  });
  const engines = await Promise.all([left, right].map((db) => db.launchEngine({ workflows: [parent, child] })));

  const runs = await Promise.all(engines.map((engine, n) => engine.startWorkflow(parent, n, { id: `parent ${n}` })));

  expect(await Promise.all(runs.map((run) => run.result()))).toEqual([0, 2]);
  expect([await idsIn(left, 'parent'), await idsIn(left, 'started')]).toEqual([['parent 0', 'parent 0/child#2'], ['started 0']]); // prettier-ignore
  expect([await idsIn(right, 'parent'), await idsIn(right, 'started')]).toEqual([['parent 1', 'parent 1/child#2'], ['started 1']]); // prettier-ignore
});

test('a step of one may start a run on the other and await it [175]', async () => {
  const remote = workflow('remote', async (n: number) => n + 1);
  const other = await right.launchEngine({ workflows: [remote] });
  const bridge = workflow('bridge', async (n: number) =>
    runStep('ask the other', async () => (await other.startWorkflow(remote, n, { id: 'bridged' })).result()),
  );
  const engine = await left.launchEngine({ workflows: [bridge] });

  const run = await engine.startWorkflow(bridge, 1);

  expect(await run.result()).toBe(2);
  expect([await idsIn(left, 'bridged'), await idsIn(right, 'bridged')]).toEqual([[], ['bridged']]);
});

test('the workflow code of one cannot use the other, where its history could not tell what happened [175]', async () => {
  const remote = workflow('remote', async (n: number) => n + 1);
  const other = await right.launchEngine({ workflows: [remote] });
  const remoteRun = await other.startWorkflow(remote, 1, { id: 'remote 1' });
  const bridge = workflow('bridge', async () => {
    await perdureErrorOf(other.startWorkflow(remote, 2, { id: 'remote 2' }), 'OPTION_INVALID');
    const error = await perdureErrorOf(remoteRun.result(), 'OPTION_INVALID');
    return error.message.includes('call it inside a step');
  });
  const engine = await left.launchEngine({ workflows: [bridge] });

  const run = await engine.startWorkflow(bridge);

  expect(await run.result()).toBe(true);
  expect([await idsIn(left, 'remote'), await idsIn(right, 'remote')]).toEqual([[], ['remote 1']]);
});

test('each takes workflows of its own: one of the same name, and one that the other does not host [175]', async () => {
  const leftOne = workflow('shared name', async (text: string) => `left: ${text}`);
  const rightOne = workflow('shared name', async (text: string) => `right: ${text}`);
  const engine = await left.launchEngine({ workflows: [leftOne] });
  const other = await right.launchEngine({ workflows: [rightOne] });

  const runs = [await engine.startWorkflow(leftOne, 'a'), await other.startWorkflow(rightOne, 'b')];

  expect(await Promise.all(runs.map((run) => run.result()))).toEqual(['left: a', 'right: b']);
});

test('closing one leaves the other at work [175]', async () => {
  const echo = workflow('echo', async (text: string) => runStep('echo', () => text));
  const [closed, open] = await Promise.all([left, right].map((db) => db.launchEngine({ workflows: [echo] })));

  await closed?.close();

  await perdureErrorOf(() => closed?.startWorkflow(echo, 'a'), 'ENGINE_CLOSED');
  expect(await (await (open as Engine).startWorkflow(echo, 'b')).result()).toBe('b');
});

test('an outage of one database does not disturb runs on the other [175]', async () => {
  const echo = workflow('echo', async (text: string) => runStep('echo', () => text));
  proxy = await startTcpProxy(left.engineUrl);
  const cutOff = await left.launchEngine({ workflows: [echo], database: proxy.url, lease: '30s' });
  const healthy = await right.launchEngine({ workflows: [echo] });
  proxy.goDown();

  const waiting = cutOff.startWorkflow(echo, 'waited', { id: 'waited' });
  for (let n = 1; n <= 20; n += 1) expect(await (await healthy.startWorkflow(echo, `${n}`)).result()).toBe(`${n}`);
  expect(await idsIn(left, 'waited')).toEqual([]);
  proxy.thaw();

  expect(await (await waiting).result()).toBe('waited');
});

test('two schemas of one database are as separate as two databases [175]', async () => {
  const echo = workflow('echo', async (text: string) => runStep('echo', () => text));
  const engine = await left.launchEngine({ workflows: [echo] });
  const other = await left.launchEngine({ workflows: [echo], schema: 'Another "Schema"' });

  const run = await engine.startWorkflow(echo, 'a', { id: 'apart' });
  const otherRun = await other.startWorkflow(echo, 'b', { id: 'apart' });

  expect([await run.result(), await otherRun.result()]).toEqual(['a', 'b']);
  await engine.close();
  await waitFor(() => left.query('select from "Another ""Schema""".executors where dead_at is null'), {
    what: 'the other to be alive still',
    until: (rows) => rows.length === 1,
  });
});
