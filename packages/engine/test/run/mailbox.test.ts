// The mailbox of an executor: what it gives to whom when answers of the database cross each other.

import { expect, test } from '@jest/globals';
import type { Call } from '../../src/run/call.js';
import { Clock } from '../../src/run/clock.js';
import { Interests } from '../../src/run/interests.js';
import type { Settle } from '../../src/run/journal.js';
import { Mailbox, type Reception } from '../../src/run/mailbox.js';
import { Run } from '../../src/run/run.js';
import { emptyHistory, type RunHost, type RunSeed } from '../../src/run/run-host.js';
import type { Queryable, Row } from '../../src/store/sql.js';
import { PerdureError } from '../../src/values/errors.js';
import type { RunId } from '../../src/values/ids.js';

const run = 'a-run' as RunId;
const row = (id: number): Row => ({ id, run_id: run, topic: 'orders', body: '', sent_at_ms: id });
const message = (id: number): { id: number; body: string } => ({ id, body: '' });

interface Opened {
  readonly mailbox: Mailbox;
  /** What has been taken. */
  readonly taken: readonly number[];
  /** Waits for a message. */
  readonly receive: (untilMs?: number) => Reception;
  /** Begins a look at the database; returns how to answer it, which ends when it has ended. */
  readonly look: () => (...ids: number[]) => Promise<void>;
}

function openMailbox(): Opened {
  const answers: ((rows: readonly Row[]) => void)[] = [];
  const db: Queryable = { query: () => new Promise((resolve) => answers.push(resolve)) };
  const mailbox = new Mailbox(db, new Interests(), () => undefined);
  const taken: number[] = [];
  return {
    mailbox,
    taken,
    receive: (untilMs = Infinity) =>
      mailbox.receive(run, { topic: 'orders', untilMs }, ({ id }) => void taken.push(id)),
    look: () => {
      const looked = mailbox.collect();
      return (...ids) => {
        answers.shift()?.(ids.map(row));
        return looked;
      };
    },
  };
}

test('a message is handed to the first who waits for it', () => {
  const { mailbox, taken, receive } = openMailbox();
  receive();

  const handOver = mailbox.passage(run, 'orders');

  expect(handOver?.(message(1))).toBe(true);
  expect(taken).toEqual([1]);
});

test('nothing is handed over where nobody waits, or for another topic', () => {
  const { mailbox, taken, receive } = openMailbox();

  expect(mailbox.passage(run, 'orders')).toBeUndefined();
  receive();

  expect(mailbox.passage(run, 'other')?.(message(1))).toBe(false);
  expect(taken).toEqual([]);
});

test('nothing is handed over to who has stopped waiting', () => {
  const { mailbox, taken, receive } = openMailbox();
  const { stop } = receive();
  const handOver = mailbox.passage(run, 'orders');

  stop();

  expect(handOver?.(message(1))).toBe(false);
  expect(taken).toEqual([]);
});

test('a message that was handed over is not given again by a look that began before', async () => {
  const { mailbox, taken, receive, look } = openMailbox();
  receive();
  const answer = look();
  mailbox.passage(run, 'orders')?.(message(1));
  mailbox.received(run, 1);
  receive();

  await answer(1, 2);

  expect(taken).toEqual([1, 2]);
});

test('a message that a look has found is not handed over again by its late sender', async () => {
  const { mailbox, taken, receive, look } = openMailbox();
  receive();
  receive();
  const handOver = mailbox.passage(run, 'orders');
  await look()(1);
  mailbox.received(run, 1);

  expect(handOver?.(message(1))).toBe(false);
  expect(taken).toEqual([1]);
});

test('a message is not handed over to a run that has left since it was sent, and come back', () => {
  const { mailbox, taken, receive } = openMailbox();
  const { stop } = receive();
  const handOver = mailbox.passage(run, 'orders');

  stop();
  mailbox.forget(run);
  receive();

  expect(handOver?.(message(1))).toBe(false);
  expect(taken).toEqual([]);
});

test('a message that a look has found is not given to a run that has left since, and come back', async () => {
  const { mailbox, taken, receive, look } = openMailbox();
  const { stop } = receive();
  const answer = look();
  stop();
  mailbox.forget(run);
  receive();

  await answer(1);
  expect(taken).toEqual([]); // it may have received this one elsewhere

  await look()(2);
  expect(taken).toEqual([2]);
});

test('a message that was handed over is taken: a look that begins then leaves it out', async () => {
  const sent: unknown[] = [];
  const db: Queryable = { query: (_, values) => Promise.resolve((sent.push(...values), [])) };
  const mailbox = new Mailbox(db, new Interests(), () => undefined);
  const receive = (): Reception => mailbox.receive(run, { topic: 'orders', untilMs: Infinity }, () => undefined);
  receive();
  mailbox.passage(run, 'orders')?.(message(7));
  receive();

  await mailbox.collect();

  expect((sent[2] as Buffer).readInt32BE(28)).toBe(7); // the only one, behind 20 bytes of header, its length, and the upper half
});

test('who stops waiting gets what a last look finds, one after the other', async () => {
  const { taken, receive, look } = openMailbox();
  const ended: string[] = [];
  receive().stopAfterLook(() => ended.push('first'));
  receive().stopAfterLook(() => ended.push('second'));

  await look()(1);

  expect(taken).toEqual([1]);
  expect(ended).toEqual(['second']);
});

test('what was sent after the time of one was up goes to the next, whether found or handed over', async () => {
  const { mailbox, taken, receive, look } = openMailbox();
  const ended: string[] = [];
  receive(1).stopAfterLook(() => ended.push('over'));
  const handOver = mailbox.passage(run, 'orders');

  expect(handOver?.(message(2))).toBe(false);
  receive();
  await look()(3);

  expect(taken).toEqual([3]);
  expect(ended).toEqual(['over']);
});

test('a look that began before does not count as the last one', async () => {
  const { receive, look } = openMailbox();
  const ended: string[] = [];
  const { stopAfterLook } = receive();
  const answer = look();
  stopAfterLook(() => ended.push('now'));

  await answer();
  expect(ended).toEqual([]);

  await look()();
  expect(ended).toEqual(['now']);
});

test('a receipt that is refused after its run has left does not free what the next claim has taken', () => {
  const received: number[] = [];
  const settles: Settle[] = [];
  const journal = { checkpoint: (_: unknown, { settle }: { settle: Settle }) => settles.push(settle) };
  const mailbox = { received: (_: RunId, id: number) => received.push(id) };
  const host = { clock: new Clock(), journal, mailbox } as unknown as RunHost;
  const claim = new Run(host, { id: run, epoch: 1, history: emptyHistory, startedAtMs: 0 } as unknown as RunSeed);
  const receipt = { runId: run, epoch: 1, seq: 1, messageId: 1 };
  claim.record({ publish: () => ({ receipts: [receipt] }) } as unknown as Call, {}, 1, 0);

  claim.abandon(new PerdureError('RUN_CANCELLED', { id: run }));
  for (const settle of settles) settle('refused');

  expect(settles).toHaveLength(1);
  expect(received).toEqual([]);
});
