// What the compiler accepts and refuses where workflows are defined, started and called. Checked by `npm run types`, never
// executed: every line below @ts-expect-error must be an error.

import {
  contract,
  startWorkflow,
  workflow,
  type Engine,
  type RunHandle,
  type RunId,
  type StandardSchema,
  type Workflow,
} from 'perdure';
import { expectType } from './expect-type.js';

interface Order {
  readonly sku: string;
  readonly count: number;
}

declare const engine: Engine;
declare const order: Order;

const checkout = workflow('checkout', async (given: Order) => ({ tracking: given.sku, total: given.count }));
const cleanUp = workflow('clean up', async () => undefined);
const report = workflow('report', async (year?: number) => `${year ?? 'all'}`);

export function definitions(): void {
  expectType<Workflow<Order, { tracking: string; total: number }>>()(checkout);
  expectType<Workflow<void, undefined>>()(cleanUp);
  expectType<Workflow<number | undefined, string>>()(report);
  workflow('with options', async () => 1, { version: '2', timeout: '1h' });
  workflow('with milliseconds', async () => 1, { timeout: 500 });
  // @ts-expect-error a workflow returns a promise
  workflow('synchronous', () => 1);
  // @ts-expect-error a workflow has one input
  workflow('two inputs', async (a: string, b: string) => a + b);
  // @ts-expect-error a name is text
  workflow(7, async () => 1);
  // @ts-expect-error the name comes first: it is the identity, and minifiers rename functions
  workflow(async () => 1);
  // @ts-expect-error there is no such option
  workflow('unknown option', async () => 1, { timeOut: '1h' });
  // @ts-expect-error a version is text
  workflow('version', async () => 1, { version: 2 });
  // @ts-expect-error a timeout is a duration
  workflow('timeout', async () => 1, { timeout: new Date() });
}

export async function starts(): Promise<void> {
  const run = await engine.startWorkflow(checkout, order);
  expectType<RunHandle<{ tracking: string; total: number }>>()(run);
  expectType<{ tracking: string; total: number }>()(await run.result());
  expectType<undefined>()(await (await engine.startWorkflow(cleanUp)).result());
  await engine.startWorkflow(checkout, order, { id: 'order-7', onDuplicate: 'reject', delay: '5s', timeout: 100 });
  await engine.startWorkflow(cleanUp, undefined, { id: 'tonight' });
  await engine.startWorkflow(report);
  await engine.startWorkflow(report, 2031);
  await engine.startWorkflow(checkout, order, { attributes: { customer: 7, tags: ['new'] } });
}

export async function wrongInputs(): Promise<void> {
  // @ts-expect-error options are no input: they come second
  await engine.startWorkflow(cleanUp, { id: 'tonight' });
  // @ts-expect-error the input is missing
  await engine.startWorkflow(checkout);
  // @ts-expect-error undefined is no input
  await engine.startWorkflow(checkout, undefined, { id: 'order-7' });
  // @ts-expect-error a field is missing
  await engine.startWorkflow(checkout, { sku: 'A-1' });
  // @ts-expect-error a field has the wrong type
  await engine.startWorkflow(checkout, { sku: 'A-1', count: '2' });
  // @ts-expect-error a field is unknown
  await engine.startWorkflow(checkout, { sku: 'A-1', count: 2, colour: 'red' });
  // @ts-expect-error it takes no input
  await engine.startWorkflow(cleanUp, order);
  // @ts-expect-error options come after the input, also where there is none
  await engine.startWorkflow(cleanUp, { id: 'tonight' });
  // @ts-expect-error a year is a number
  await engine.startWorkflow(report, '2031');
}

export async function wrongOptions(): Promise<void> {
  // @ts-expect-error an id is text
  await engine.startWorkflow(checkout, order, { id: 7 });
  // @ts-expect-error there is no such option
  await engine.startWorkflow(checkout, order, { runId: 'order-7' });
  // @ts-expect-error attach or reject
  await engine.startWorkflow(checkout, order, { onDuplicate: 'ignore' });
  // @ts-expect-error a delay is a duration
  await engine.startWorkflow(checkout, order, { delay: new Date() });
  // @ts-expect-error attributes are an object
  await engine.startWorkflow(checkout, order, { attributes: 'new' });
  // @ts-expect-error there is nothing after the options
  await engine.startWorkflow(checkout, order, {}, {});
}

export async function wrongWorkflows(): Promise<void> {
  // @ts-expect-error a plain function is not a workflow
  await engine.startWorkflow(async () => 1);
  // @ts-expect-error neither is a name
  await engine.startWorkflow('checkout', order);
  // @ts-expect-error neither is a mistyped member of a module
  await engine.startWorkflow({ checkout }.chekout, order);
  // @ts-expect-error the method is mistyped
  await engine.startWorkfow(checkout, order);
}

export const parent = workflow('parent', async () => {
  expectType<{ tracking: string; total: number }>()(await checkout(order));
  expectType<undefined>()(await cleanUp());
  expectType<string>()(await report(2031));
  const id = await startWorkflow(checkout, order, { delay: '1 day' });
  expectType<RunId>()(id);
  const text: string = id;
  await engine.getHandle(text).result();
  const both = await Promise.all([checkout(order), report()]);
  expectType<[{ tracking: string; total: number }, string]>()(both);
  // @ts-expect-error the input is missing
  await checkout();
  // @ts-expect-error a field is missing
  await checkout({ sku: 'A-1' });
  // @ts-expect-error a child that is called has no options
  await checkout(order, { id: 'order-7' });
  // @ts-expect-error it takes no input
  await cleanUp(7);
  // @ts-expect-error the input is missing
  await startWorkflow(checkout);
});

// The result of a workflow that calls itself cannot be inferred.
export const factorial: Workflow<number, number> = workflow('factorial', async (n: number) =>
  n < 2 ? 1 : n * (await factorial(n - 1)),
);

export async function handles(id: string): Promise<void> {
  expectType<unknown>()(await engine.getHandle(id).result());
  expectType<string>()(await engine.getHandle(id, report).result());
  expectType<number>()(await engine.getHandle<number>(id).result());
  await engine.getHandle(id).result({ signal: AbortSignal.timeout(100) });
  // @ts-expect-error nothing is known of the result
  expectType<string>()(await engine.getHandle(id).result());
  // @ts-expect-error the result is text
  expectType<number>()(await engine.getHandle(id, report).result());
  // @ts-expect-error not every text is the id of a run
  expectType<RunId>()(id);
}

declare const page: StandardSchema<{ page: string }, { page: number; size: number }>;

export async function schemas(): Promise<void> {
  const list = workflow('list', async (query) => expectType<{ page: number; size: number }>()(query), { input: page });
  expectType<Workflow<{ page: string }, { page: number; size: number }>>()(list);
  await engine.startWorkflow(list, { page: '3' });
  // @ts-expect-error the schema takes text
  await engine.startWorkflow(list, { page: 3 });
  // @ts-expect-error the function takes what the schema gives
  workflow('does not fit', async (query: { page: string }) => query, { input: page });
  // @ts-expect-error a function is no schema
  workflow('no schema', async (query: string) => query, { input: (value: unknown) => value });
}

export async function contracts(): Promise<void> {
  const byName = contract<Order, string>('checkout', { version: '2' });
  expectType<Workflow<Order, string>>()(byName);
  expectType<string>()(await (await engine.startWorkflow(byName, order)).result());
  await engine.startWorkflow(contract('clean up'));
  contract<{ page: string }, string>('list', { input: page });
  // @ts-expect-error the input is missing
  await engine.startWorkflow(byName);
  // @ts-expect-error the schema takes something else
  contract<Order, string>('checkout', { input: page });
}
