// What the compiler accepts and refuses of the engine itself. Never executed.

import {
  contract,
  createEngine,
  isPerdureError,
  silentLogger,
  workflow,
  type ErrorCode,
  type RunInfo,
  type RunStatus,
  type StepInfo,
} from 'perdure';
import { expectType } from './expect-type.js';

const checkout = workflow('checkout', async (order: { readonly sku: string }) => order.sku);
const cleanUp = workflow('clean up', async () => undefined);

export function options(pool: { readonly options: { readonly host: string } }): void {
  createEngine({ database: process.env['DATABASE_URL'] });
  createEngine({ database: { host: 'localhost', port: 5432, password: async () => 'secret' } });
  createEngine({ database: pool, workflows: [checkout, cleanUp, contract<number, string>('elsewhere')] });
  createEngine({ database: 'postgres://', logger: silentLogger, lease: '10s', parkAfter: 0, listen: false });
  // @ts-expect-error without a database there is nothing
  createEngine({});
  // @ts-expect-error a plain function is not a workflow
  createEngine({ database: '', workflows: [async () => 1] });
  // @ts-expect-error there is no such option
  createEngine({ database: '', queue: 'mail' });
  // @ts-expect-error a lease is a duration
  createEngine({ database: '', lease: new Date() });
  // @ts-expect-error a logger has four levels
  createEngine({ database: '', logger: { info: () => undefined } });
}

export async function management(): Promise<void> {
  const engine = await createEngine({ database: '' }).launch();
  engine.register(checkout).register(cleanUp);
  expectType<RunInfo | undefined>()(await engine.runs.get('order-7'));
  expectType<readonly StepInfo[]>()(await engine.runs.steps('order-7'));
  expectType<boolean>()(await engine.runs.cancel('order-7', { children: true }));
  expectType<boolean>()(await engine.runs.resume('order-7', { acceptNewSteps: true }));
  expectType<RunStatus>()(await engine.getHandle('order-7').status());
  await engine.close({ timeout: '10s' });
  // @ts-expect-error an id is text
  await engine.runs.get(7);
  // @ts-expect-error there is no such option
  await engine.runs.cancel('order-7', { recursive: true });
  // @ts-expect-error nothing is known of the input of a run
  (await engine.runs.get('order-7'))?.input.sku;
  // @ts-expect-error there is no such status
  expectType<'done'>()(await engine.getHandle('order-7').status());
}

export function errors(error: unknown): void {
  if (isPerdureError(error)) expectType<ErrorCode>()(error.code);
  if (isPerdureError(error, 'RUN_EXISTS')) expectType<'RUN_EXISTS'>()(error.code);
  // @ts-expect-error there is no such code
  isPerdureError(error, 'RUN_EXIST');
}
