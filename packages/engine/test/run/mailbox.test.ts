// The mailbox of an executor: what it gives to whom when answers of the database cross each other.

import { expect, test } from '@jest/globals';
import { Interests } from '../../src/run/interests.js';
import { Mailbox } from '../../src/run/mailbox.js';
import type { Queryable, Row } from '../../src/store/sql.js';
import type { RunId } from '../../src/values/ids.js';

const run = 'a-run' as RunId;
const row = (id: number): Row => ({ id, run_id: run, topic: 'orders', body: '' });
const message = (id: number): { id: number; body: string } => ({ id, body: '' });

interface Opened {
  readonly mailbox: Mailbox;
  /** What has been taken. */
  readonly taken: readonly number[];
  /** Waits for a message. */
  readonly receive: () => () => void;
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
    receive: () => mailbox.receive(run, 'orders', ({ id }) => void taken.push(id)),
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
  const stop = receive();
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
  const stop = receive();
  const handOver = mailbox.passage(run, 'orders');

  stop();
  mailbox.forget(run);
  receive();

  expect(handOver?.(message(1))).toBe(false);
  expect(taken).toEqual([]);
});

test('a message that was handed over is taken: a look that begins then leaves it out', async () => {
  const sent: unknown[] = [];
  const db: Queryable = { query: (_, values) => Promise.resolve((sent.push(...values), [])) };
  const mailbox = new Mailbox(db, new Interests(), () => undefined);
  const receive = (): (() => void) => mailbox.receive(run, 'orders', () => undefined);
  receive();
  mailbox.passage(run, 'orders')?.(message(7));
  receive();

  await mailbox.collect();

  expect((sent[2] as Buffer).readInt32BE(28)).toBe(7); // the only one, behind 20 bytes of header, its length, and the upper half
});
