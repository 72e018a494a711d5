// What the compiler accepts and refuses of messages, events and streams. Never executed.

import {
  closeStream,
  event,
  getEvent,
  receive,
  send,
  setEvent,
  stream,
  topic,
  writeStream,
  type Engine,
  type StandardSchema,
  type StreamChunk,
} from 'perdure';
import { expectType } from './expect-type.js';

interface Approval {
  readonly approved: boolean;
}

declare const engine: Engine;
declare const approvalSchema: StandardSchema<Approval>;

const approval = topic<Approval>('approval');
const progress = event<{ readonly done: number }>('progress');
const tokens = stream<string>('tokens');

export function definitions(): void {
  topic('checked', approvalSchema);
  event('checked', approvalSchema);
  stream('checked', approvalSchema);
  // @ts-expect-error a name is text
  topic<Approval>(7);
  // @ts-expect-error a topic needs a name
  topic<Approval>();
  // @ts-expect-error the schema is of another type
  topic<{ readonly name: string }>('checked', approvalSchema);
  // @ts-expect-error a function is no schema
  event('checked', (value: unknown) => value);
}

export async function messages(): Promise<void> {
  expectType<Approval | undefined>()(await receive(approval, { timeout: '2 days' }));
  expectType<Approval | undefined>()(await receive(topic('checked', approvalSchema)));
  await send('order-7', approval, { approved: true }, { dedupKey: 'click-1' });
  await engine.send('order-7', approval, { approved: true }, { dedupKey: 'click-1' });
  // @ts-expect-error a field has the wrong type
  await send('order-7', approval, { approved: 'yes' });
  // @ts-expect-error a field is missing
  await engine.send('order-7', approval, {});
  // @ts-expect-error there is no such field
  await engine.send('order-7', approval, { approved: true, by: 'Ada' });
  // @ts-expect-error the message is missing
  await engine.send('order-7', approval);
  // @ts-expect-error an id is text
  await engine.send(7, approval, { approved: true });
  // @ts-expect-error a topic is more than its name
  await engine.send('order-7', 'approval', { approved: true });
  // @ts-expect-error an event is no topic
  await engine.send('order-7', progress, { done: 1 });
  // @ts-expect-error a stream cannot be received from
  await receive(tokens);
  // @ts-expect-error a timeout is a duration
  await receive(approval, { timeout: new Date() });
  // @ts-expect-error nobody may have answered
  (await receive(approval, { timeout: '1s' })).approved;
}

export async function events(): Promise<void> {
  await setEvent(progress, { done: 1 });
  expectType<{ readonly done: number } | undefined>()(await getEvent('order-7', progress));
  expectType<{ readonly done: number } | undefined>()(await engine.getEvent('order-7', progress, { timeout: 500 }));
  // @ts-expect-error a value has the wrong type
  await setEvent(progress, { done: '1' });
  // @ts-expect-error a run sets its own events only
  await setEvent('order-7', progress, { done: 1 });
  // @ts-expect-error a topic is no event
  await setEvent(approval, { approved: true });
  // @ts-expect-error a stream is no event
  await engine.getEvent('order-7', tokens);
  // @ts-expect-error an event may never be set
  (await engine.getEvent('order-7', progress)).done;
}

export async function streams(): Promise<void> {
  await writeStream(tokens, 'Hello');
  await closeStream(tokens);
  for await (const chunk of engine.readStream('order-7', tokens, { from: 3, timeout: '5s' }))
    expectType<StreamChunk<string>>()(chunk);
  // @ts-expect-error a value has the wrong type
  await writeStream(tokens, 7);
  // @ts-expect-error an event is no stream
  await closeStream(progress);
  // @ts-expect-error a topic is no stream
  engine.readStream('order-7', approval);
  // @ts-expect-error a position is a number
  engine.readStream('order-7', tokens, { from: 'start' });
}
