// A process that hosts the workflows of workflows.ts until it is killed, or told by SIGTERM to close its engine.

import { consoleLogger, contract, createEngine, silentLogger } from 'perdure';
import { AsyncLocalStorage } from 'node:async_hooks';
import pg from 'pg';
import { workerVariable, type WorkerOptions } from '../support/worker-options.js';
import { defineTalkingWorkflows } from './storm-workflows.js';
import { defineWorkflows, type Input, type World } from './workflows.js';

const { database, starts, isLoud, isTraced, ...options } = JSON.parse(
  process.env[workerVariable] ?? '{}',
) as WorkerOptions;
const say = (line: object): void => console.log(JSON.stringify(line));
const passed: string[] = [];
if (isTraced === true) trace();

const pool = new pg.Pool({ connectionString: database, max: 4, application_name: 'worker' });
pool.on('error', () => undefined);
const world: World = { pool, engine: undefined };
const engine = createEngine({
  database,
  logger: isLoud === true ? consoleLogger() : silentLogger,
  workflows: [...defineWorkflows(world), ...defineTalkingWorkflows(world)],
  ...options,
});
world.engine = engine;
process.once('SIGTERM', () => void close());
await engine.launch();
say({ type: 'ready' });
if (starts !== undefined) {
  const { workflow, id, n, pauseMs } = starts;
  const run = await engine.startWorkflow(contract<Input, unknown>(workflow), { n, pauseMs }, { id });
  say({ type: 'result', result: await run.result() });
  await close();
}

async function close(): Promise<void> {
  await engine.close();
  say({ type: 'closed', passed });
  await pool.end();
  process.disconnect?.();
}

function trace(): void {
  const key = Symbol.for('perdure/v1');
  const holder = globalThis as { [key: symbol]: { storage: unknown; crashPoint?: (name: string) => void } | undefined };
  (holder[key] ??= { storage: new AsyncLocalStorage() }).crashPoint = (name) => void passed.push(name);
}
