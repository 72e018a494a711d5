// The workflow as its authors test it: real modules, a fake bank, and two days of waiting in a moment.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { waitFor } from '@perdure/testing';
import { approval } from '../src/orders/order.js';
import { hourlyReport } from '../src/reports/report.js';
import { someOrder } from './support/some-order.js';
import { startWorker, type WorkerTest } from './support/worker.js';

let worker: WorkerTest;

beforeAll(async () => {
  worker = await startWorker();
  await worker.engine.schedules.pause(hourlyReport); // two days have 48 of them
});

afterAll(async () => {
  await worker.close();
});

test('an order is charged, shipped and announced', async () => {
  const run = await worker.place(someOrder({ id: 'lamp-1' }));

  expect(await run.result()).toEqual({ status: 'shipped', charge: expect.any(Number), parcel: expect.any(Number) });
  const steps = await worker.stepsOf(run);
  expect(steps.map(({ name }) => name)).toEqual(['reserve', 'charge', 'ship', 'mark', 'mail']);
  expect(worker.bank.requests).toContainEqual({ idempotencyKey: 'lamp-1/charge', reference: 'lamp-1', cents: 8_980 });
});

test('a large order that nobody approves within two days is cancelled, and never charged', async () => {
  const run = await worker.place(someOrder({ id: 'piano-1', item: 'piano', cents: 899_000 }));

  await worker.clock.advance('47 hours');
  expect((await worker.engine.runs.get(run.id))?.status).toBe('waiting');
  await worker.clock.advance('1 hour');

  expect(await run.result()).toEqual({ status: 'cancelled', reason: 'not approved' });
  expect(worker.bank.requests.map(({ reference }) => reference)).not.toContain('piano-1');
});

test('a large order goes on when it is approved', async () => {
  const run = await worker.place(someOrder({ id: 'piano-2', item: 'piano', cents: 899_000 }));
  await worker.waitForStatus(run, 'waiting');

  await worker.engine.send(run.id, approval, { approved: true, by: 'grace' });

  expect(await run.result()).toMatchObject({ status: 'shipped' });
});

test('the stock is as before when the bank refuses', async () => {
  const { bank, database } = worker;
  const before = await database.query("select on_hand from shop.stock where item = 'chair'");
  const usual = bank.answer;
  bank.answer = () => undefined;

  const run = await worker.place(someOrder({ id: 'chair-1', item: 'chair', quantity: 7 }));

  expect(await run.result()).toEqual({ status: 'cancelled', reason: 'payment refused' });
  expect(await database.query("select on_hand from shop.stock where item = 'chair'")).toEqual(before);
  bank.answer = usual;
});

test('what is out of stock is not charged', async () => {
  const run = await worker.place(someOrder({ id: 'unicorn-1', item: 'unicorn' }));

  expect(await run.result()).toEqual({ status: 'cancelled', reason: 'out of stock' });
  expect(worker.bank.requests.map(({ reference }) => reference)).not.toContain('unicorn-1');
});

test('a worker that dies before it knows of its charge asks again, with the same key', async () => {
  const crashed = worker.crashAt('charge');

  const run = await worker.place(someOrder({ id: 'lamp-2' }));
  await crashed;

  expect(await run.result()).toMatchObject({ status: 'shipped' });
  const keys = worker.bank.requests
    .filter(({ reference }) => reference === 'lamp-2')
    .map((each) => each.idempotencyKey);
  expect(keys).toEqual(['lamp-2/charge', 'lamp-2/charge']);
});

test('orders of one customer are fulfilled one after the other, those of others meanwhile', async () => {
  const { bank } = worker;
  const answers: (() => void)[] = [];
  const usual = bank.answer;
  bank.answer = () => new Promise((resolve) => answers.push(() => resolve(1)));
  const asked = (): string[] => bank.requests.map(({ reference }) => reference).filter((id) => id.startsWith('turn-'));

  const orders = [
    someOrder({ id: 'turn-grace-1', customer: 'grace' }),
    someOrder({ id: 'turn-grace-2', customer: 'grace' }),
    someOrder({ id: 'turn-alan', customer: 'alan' }),
  ];
  const runs = [];
  for (const order of orders) runs.push(await worker.place(order));
  await waitFor(() => answers.length === 2, { what: 'two charges at once' });
  const askedAtOnce = asked();
  bank.answer = usual;
  for (const answer of answers) answer();
  await Promise.all(runs.map((run) => run.result()));

  expect(askedAtOnce.toSorted()).toEqual(['turn-alan', 'turn-grace-1']);
  expect(asked()).toHaveLength(3);
});
