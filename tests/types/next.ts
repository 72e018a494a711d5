// What the compiler accepts and refuses of the package for Next, on the server and in the browser. Never executed.

import { definePerdure, perdureRoutes } from '@perdure/next';
import { createPerdureClient, useRun, type AsJson } from '@perdure/next/client';
import { event, stream, topic, workflow } from 'perdure';
import { expectType } from './expect-type.js';

interface Order {
  readonly sku: string;
}

const ship = workflow('ship', async (order: Order) => ({ at: new Date(0), sku: order.sku }));
const progress = event<{ readonly done: number }>('progress');
const words = stream<string>('words');
const approval = topic<{ readonly approved: boolean }>('approval');
const perdure = definePerdure({ database: 'postgres://', workflows: [ship] });

interface Shipping {
  readonly workflow: typeof ship;
  readonly events: { readonly progress: typeof progress };
  readonly streams: { readonly words: typeof words };
}

export async function server(): Promise<void> {
  const run = await perdure.startWorkflow(ship, { sku: 'A-1' }, { id: 'order-7' });
  expectType<{ at: Date; sku: string }>()(await run.result());
  await perdure.send(run.id, approval, { approved: true });
  // @ts-expect-error another input
  await perdure.startWorkflow(ship, { name: 'A-1' });
  // @ts-expect-error an input is missing
  await perdure.startWorkflow(ship);
  // @ts-expect-error another message
  await perdure.send(run.id, approval, { approved: 'yes' });
  // @ts-expect-error nothing is reachable that is not named
  perdureRoutes(perdure, {});
  // @ts-expect-error a budget is a duration
  await perdure.drive({ budget: true });
}

export function browser(): void {
  const run = useRun<Shipping>('order-7');
  expectType<{ at: string; sku: string } | undefined>()(run.result);
  expectType<{ readonly done: number } | undefined>()(run.events.progress);
  expectType<readonly string[] | undefined>()(run.streams.words);
  // @ts-expect-error no such event
  void run.events.words;
  // @ts-expect-error no such stream
  void run.streams.progress;
  // @ts-expect-error an event is no stream
  useRun<{ streams: { progress: typeof progress } }>('order-7');
  // @ts-expect-error a state is read only
  run.status = 'failed';
  useRun(undefined);
  const unknown = useRun('order-7');
  expectType<unknown>()(unknown.result);
  expectType<unknown>()(unknown.events['anything']);
}

export async function client(): Promise<void> {
  const asked = createPerdureClient();
  await asked.start<typeof ship>('ship', { sku: 'A-1' });
  await asked.start('ship', { anything: true });
  // @ts-expect-error another input
  await asked.start<typeof ship>('ship', { name: 'A-1' });
  const { getState } = asked.watch<Shipping>('order-7');
  expectType<string | undefined>()(getState().result?.sku);
}

export function json(value: AsJson<{ at: Date; tags: Set<string>; count: bigint; nested: { when: Date }[] }>): void {
  expectType<{ at: string; tags: string[]; count: string; nested: { when: string }[] }>()(value);
}
