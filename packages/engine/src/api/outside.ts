// Messages and events from outside of runs, where nothing is recorded.

import { faultOf } from '../run/mail.js';
import type { EventState } from '../store/events.js';
import { PerdureError } from '../values/errors.js';
import { checkRunId } from '../values/ids.js';
import { decode } from '../values/serialize.js';
import { encodeValue, requireChannel } from './channel.js';
import { timeoutOf, type Event, type GetEventOptions } from './event.js';
import { sendInCallersTransaction, type InTransaction, type TransactionHost } from './in-transaction.js';
import { keyOf, type SendOptions, type Topic } from './topic.js';

interface Sending<Message> {
  readonly id: string;
  readonly to: Topic<Message>;
  readonly message: Message;
  readonly options: SendOptions & InTransaction;
}

/** Sends one message. */
export async function sendFromOutside<Message>(outside: TransactionHost, sending: Sending<Message>): Promise<void> {
  const { executor } = outside;
  const { id, to, message, options } = sending;
  const runId = checkRunId(id);
  requireChannel('topic', to);
  const body = await encodeValue(to, message, executor.maxPayloadBytes);
  const letter = { runId, topic: to.name, body, ...keyOf(options) };
  if (options.transaction !== undefined) return sendInCallersTransaction(outside, options.transaction, letter);
  const sent = await executor.exchange.sendOnce({ ...letter, sender: undefined });
  const fault = faultOf(sent, runId);
  if (fault !== undefined) throw fault;
}

interface Reading<Value> {
  readonly id: string;
  readonly of: Event<Value>;
  readonly options: GetEventOptions;
}

/** Waits for one event. */
export async function readEvent<Value>(
  { executor }: Pick<TransactionHost, 'executor'>,
  { id, of, options }: Reading<Value>,
): Promise<Value | undefined> {
  const runId = checkRunId(id);
  requireChannel('event', of);
  const timeoutMs = timeoutOf(options);
  const { clock, exchange, interests } = executor;
  const { isOver: isClosed } = executor.persistence('reading an event');
  const stops: (() => void)[] = [];
  try {
    const state = await new Promise<EventState | undefined>((resolve, reject) => {
      const refuseIfClosed = (): void => {
        if (isClosed()) reject(new PerdureError('ENGINE_CLOSED', { operation: 'getEvent' }));
      };
      stops.push(exchange.onEvent({ runId, key: of.name }, resolve));
      stops.push(interests.on(runId, refuseIfClosed));
      if (timeoutMs !== undefined) stops.push(clock.at(clock.now() + timeoutMs, () => resolve(undefined)));
    });
    if (state?.exists === false) throw new PerdureError('RUN_NOT_FOUND', { id: runId });
    return state?.value === undefined ? undefined : (decode(state.value, `event "${of.name}"`) as Value);
  } finally {
    for (const stop of stops) stop();
  }
}
