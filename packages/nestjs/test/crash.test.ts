// A Nest process is killed in the middle of a run; another goes on with it.

import { AsyncLocalStorage } from 'node:async_hooks';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { spawnProcess } from '@perdure/testing';
import { contract, type Engine } from 'perdure';
import { carryStorage, getEngineToken } from '../src/index.js';
import { useNestDatabase } from './support/nest-database.js';

const db = useNestDatabase();
const program = fileURLToPath(new URL('programs/nest-worker.ts', import.meta.url));
const crashing = contract<string, string>('crashing');

test('a run goes on in another process behind its last recorded step, with the context of its caller', async () => {
  const callers = new AsyncLocalStorage<{ tenant: string }>();
  const api = await db.bootWith({ worker: false, context: carryStorage(callers, ['tenant']) }, {});
  const engine = api.get<Engine>(getEngineToken());
  const env = { DATABASE_URL: db.url };
  const first = spawnProcess(program, { args: ['first'], env, crashAt: 'step:ship' });
  await first.line(/booted/);

  const run = await callers.run({ tenant: 'acme' }, () => engine.startWorkflow(crashing, 'A-1'));
  expect((await first.exited).signal).toBe('SIGKILL');
  const second = spawnProcess(program, { args: ['second'], env });

  expect(await run.result()).toBe('shipped by second');
  expect(first.lines).toEqual(['booted', 'charged A-1 for acme', 'shipped A-1 for acme']);
  second.kill('SIGTERM');
  await second.exited;
  expect(second.lines).toEqual(['booted', 'shipped A-1 for acme']); // executed again, as it was not recorded
}, 60_000);
