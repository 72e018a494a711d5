// A network that loses everything without a word: no connection ends, nothing arrives.

import { afterEach, expect, test } from '@jest/globals';
import { currentStep, runStep, workflow } from '../src/index.js';
import { gate } from './support/gate.js';
import { perdureErrorOf } from './support/perdure-error-of.js';
import { startTcpProxy, type TcpProxy } from './support/tcp-proxy.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();
let proxy: TcpProxy | undefined;

afterEach(async () => {
  await proxy?.stop();
});

test('a start that gets no answer is START_UNCONFIRMED after 10 s, and its run is executed when the network is back', async () => {
  const executed: string[] = [];
  const greet = workflow('greet', async (name: string) => runStep('greet', () => executed.push(name)));
  proxy = await startTcpProxy(db.engineUrl);
  const engine = await db.launchEngine({ workflows: [greet], database: proxy.url, lease: '1 minute' });
  await (await engine.startWorkflow(greet, 'Grace')).result(); // so that there is a connection to go silent
  proxy.freeze();

  const error = await perdureErrorOf(engine.startWorkflow(greet, 'Ada', { id: 'unanswered' }), 'START_UNCONFIRMED');
  proxy.thaw();

  expect(error.message).toContain('the database does not answer');
  expect(await engine.getHandle('unanswered').result()).toBe(2);
  expect(executed).toEqual(['Grace', 'Ada']);
});

test('a process that was cut off past its lease can record nothing of a run that was taken over [21]', async () => {
  const [reached, release] = [gate(), gate()];
  const signals: AbortSignal[] = [];
  const executedBy: string[] = [];
  const make = (side: string): ReturnType<typeof workflow> =>
    workflow('torn', async () => {
      await runStep('hold', async () => {
        executedBy.push(side);
        signals.push(currentStep().signal);
        reached.open();
        if (side === 'cut off') await release.opened;
      });
      await runStep('finish', () => void executedBy.push(`${side} finished`));
    });
  proxy = await startTcpProxy(db.engineUrl);
  const cutOff = await db.launchEngine({
    workflows: [make('cut off')],
    database: proxy.url,
    directDatabase: proxy.url,
  });
  const run = await cutOff.startWorkflow(make('cut off'), undefined, { id: 'torn' });
  await reached.opened;
  proxy.freeze();

  const peer = await db.launchEngine({ workflows: [make('peer')] });
  await peer.getHandle('torn').result();
  release.open();
  proxy.thaw();

  await run.result();
  expect(executedBy).toEqual(['cut off', 'peer', 'peer finished']);
  expect((await peer.runs.steps('torn')).map(({ name }) => name)).toEqual(['hold', 'finish']);
  expect(await peer.runs.get('torn')).toMatchObject({ recoveries: 1 });
});
