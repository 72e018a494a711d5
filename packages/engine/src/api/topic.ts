// Messages: mailboxes of runs.

import { requireRun } from '../run/context.js';
import { receiveIn, sendIn, type Letter } from '../run/mail.js';
import { parseDuration, type Duration } from '../values/duration.js';
import { PerdureError } from '../values/errors.js';
import { checkName, checkRunId } from '../values/ids.js';
import type { StandardSchema } from '../values/standard-schema.js';
import { refuseUnknown } from '../values/unknown-options.js';
import { defineChannel, encodeValue, requireChannel, type Channel } from './channel.js';
import type { InTransaction } from './in-transaction.js';

/** A mailbox that every run has under this name. */
export type Topic<Message> = Channel<'topic', Message>;

/**
 * A topic: what is sent to a run under it is received there in the order of sending. With a schema, messages are
 * checked when they are sent. Throws NAME_INVALID, OPTION_INVALID.
 *
 * @example
 * const approval = topic<{ approved: boolean }>('approval');
 */
export function topic<Message>(name: string, schema?: StandardSchema<Message>): Topic<Message> {
  return defineChannel('topic', name, schema);
}

/** Options of receiving. */
export interface ReceiveOptions {
  /** How long to wait, from the run's last recorded result. What was sent in time counts, however late the run wakes. Default: for ever. */
  readonly timeout?: Duration;
}

/**
 * Waits, durably, for the next message of a topic; undefined when the time is up, which no message is: one that carries undefined
 * is refused when it is sent. A message is received once, by one receiver. Throws NOT_IN_RUN, IN_STEP, DURATION_INVALID, OPTION_INVALID.
 *
 * @example
 * const answer = await receive(approval, { timeout: '2 days' });
 */
export async function receive<Message>(of: Topic<Message>, options: ReceiveOptions = {}): Promise<Message | undefined> {
  const run = requireRun('receive');
  requireChannel('topic', of);
  refuseUnknown(options, { timeout: true }, 'receives');
  const { timeout } = options;
  const timeoutMs = timeout === undefined ? undefined : parseDuration(timeout, 'the timeout of receive');
  return (await receiveIn(run, of.name, timeoutMs)) as Message | undefined;
}

/** Options of sending. */
export interface SendOptions {
  /** The same key to the same run again has no effect, also after the message was received. */
  readonly dedupKey?: string;
  /** A digest of what is asked for. The same key with another one: IDEMPOTENCY_KEY_REUSED. Needs a key. Default: it counts as the same. */
  readonly fingerprint?: string;
}

/**
 * Sends a message from workflow code to a run: once, whatever happens to the sender. From outside of runs, and from steps, use
 * `engine.send`. Throws NOT_IN_RUN, IN_STEP, RUN_NOT_FOUND, RUN_STATE_CONFLICT for a finished run, INPUT_INVALID, UNSERIALIZABLE, PAYLOAD_TOO_LARGE.
 *
 * @example
 * await send(orderRunId, approval, { approved: true });
 */
export async function send<Message>(
  id: string,
  to: Topic<Message>,
  message: Message,
  options: SendOptions = {},
): Promise<void> {
  const run = requireRun('send');
  requireChannel('topic', to);
  const body = await encodeValue(to, message, run.host.maxPayloadBytes);
  await sendIn(run, { runId: checkRunId(id), topic: to.name, body, ...keyOf(options) });
}

const sendOptions: Readonly<Record<keyof (SendOptions & InTransaction), true>> = {
  dedupKey: true,
  fingerprint: true,
  transaction: true,
};

/** Throws OPTION_INVALID. */
export function checkSend(options: SendOptions & InTransaction): void {
  refuseUnknown(options, sendOptions, 'messages');
}

/** What keeps a message from being sent twice. Throws NAME_INVALID, OPTION_INVALID. */
export function keyOf(options: SendOptions): Pick<Letter, 'dedupKey' | 'fingerprint'> {
  checkSend(options);
  const { dedupKey, fingerprint } = options;
  if (fingerprint !== undefined && dedupKey === undefined) {
    const reason =
      'it says what its dedupKey was used for, and there is none: the message would be sent again each time';
    throw new PerdureError('OPTION_INVALID', { option: 'fingerprint', value: fingerprint, reason });
  }
  return {
    dedupKey: dedupKey === undefined ? undefined : checkName('dedup key', dedupKey),
    fingerprint: fingerprint === undefined ? undefined : checkName('fingerprint', fingerprint),
  };
}
