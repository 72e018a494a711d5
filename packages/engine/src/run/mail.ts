// Messages in workflow code: sending one, once, and receiving one, for good.

import { PerdureError } from '../values/errors.js';
import { sendKey, type RunId } from '../values/ids.js';
import { encodeError } from '../values/serialize.js';
import { hasLostSender, type Sent } from '../store/messages.js';
import { refused } from './refused.js';
import type { Run } from './run.js';

/** A message in stored form. */
export interface Letter {
  readonly runId: RunId;
  readonly topic: string;
  readonly body: string;
  readonly dedupKey: string | undefined;
  readonly fingerprint: string | undefined;
}

/** Receives the next message of a topic, or undefined when `timeoutMs` has passed since the last recorded result. */
export async function receiveIn(run: Run, topic: string, timeoutMs: number | undefined): Promise<unknown> {
  const deadlineMs = timeoutMs === undefined ? Infinity : run.delivery.nowMs + timeoutMs;
  return run.delivery.call({
    kind: 'receive',
    name: topic,
    begin: (call) => {
      call.waitsUntilMs = deadlineMs;
      call.topic = topic;
      const end = (): void => {
        reception.stop();
        cancelTimer();
        forget();
        call.waitsUntilMs = undefined;
      };
      const reception = run.host.mailbox.receive(run.id, { topic, untilMs: deadlineMs }, ({ id, body }) => {
        end();
        call.publish = (seq) => ({ receipts: [{ runId: run.id, epoch: run.epoch, seq, messageId: id }] });
        run.delivery.complete(call, { output: body });
      });
      // The run may have woken late, and with it the timer: what was sent in time counts.
      const onTimeout = (): void => {
        call.waitsUntilMs = undefined;
        reception.stopAfterLook(() => {
          end();
          run.delivery.complete(call, {});
        });
      };
      const cancelTimer = deadlineMs === Infinity ? (): void => undefined : run.host.clock.at(deadlineMs, onTimeout);
      const forget = run.onAbort(() => {
        reception.stop();
        cancelTimer();
      });
      run.wake();
    },
  });
}

/** Sends a message from workflow code: the step's place in its run is the key that keeps it from being sent twice. */
export async function sendIn(run: Run, letter: Letter): Promise<void> {
  await run.delivery.call({
    kind: 'send',
    name: letter.topic,
    begin: (call) => {
      const dedupKey = letter.dedupKey ?? sendKey(run.id, letter.topic, call.occurrence);
      run.effect(() => {
        run.executing += 1;
        const sending = run.host.exchange.send({ ...letter, dedupKey, sender: { id: run.id, epoch: run.epoch } });
        const told = sending.then((sent) => {
          if (sent === undefined) return;
          if (hasLostSender(sent)) return run.host.lost(run); // nothing that its code could catch
          const fault = faultOf(sent, letter.runId);
          run.delivery.complete(call, fault === undefined ? {} : { error: encodeError(fault) });
        });
        void told.catch(refused(run, 'a message cannot be sent')).finally(() => {
          run.executing -= 1;
          run.wake();
        });
      });
    },
  });
}

/** Why a message was not accepted, or undefined. */
export function faultOf({ status, isNew, isDuplicate, isOther }: Sent, id: RunId): PerdureError | undefined {
  if (status === undefined) return new PerdureError('RUN_NOT_FOUND', { id });
  if (isOther) return new PerdureError('IDEMPOTENCY_KEY_REUSED', { id });
  if (isNew || isDuplicate) return undefined;
  return new PerdureError('RUN_STATE_CONFLICT', { id, status, action: 'receive a message' });
}
