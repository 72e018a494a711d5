// The runs of this executor that wait for a message, and the messages that they have taken. One statement looks for all
// of them. A message is received for good when the checkpoint that receives it commits; until then it is taken in memory only.

import { findMessages, type WaitingMessage } from '../store/messages.js';
import type { Queryable } from '../store/sql.js';
import type { RunId } from '../values/ids.js';
import type { Interests } from './interests.js';

interface Receiver {
  readonly runId: RunId;
  readonly topic: string;
  readonly take: (message: WaitingMessage) => void;
}

/** The receivers of one executor. */
export class Mailbox {
  readonly #db: Queryable;
  readonly #interests: Interests;
  readonly #onMail: () => void;
  readonly #receivers = new Map<RunId, Set<Receiver>>();
  readonly #taken = new Map<RunId, Set<number>>();
  readonly #unchecked = new Set<RunId>();

  /** `onMail`: a `collect` is wanted. */
  constructor(db: Queryable, interests: Interests, onMail: () => void) {
    this.#db = db;
    this.#interests = interests;
    this.#onMail = onMail;
  }

  /** Calls back once, with the oldest message of the topic that nobody has taken. Returns how to stop waiting. */
  receive(runId: RunId, topic: string, take: (message: WaitingMessage) => void): () => void {
    const receivers = this.#receivers.get(runId) ?? new Set();
    this.#receivers.set(runId, receivers);
    const check = (): void => {
      this.#unchecked.add(runId);
      this.#onMail();
    };
    const stopListening = this.#interests.on(runId, check);
    const receiver: Receiver = { runId, topic, take: (message) => (stop(), take(message)) };
    const stop = (): void => {
      stopListening();
      receivers.delete(receiver);
      if (receivers.size === 0 && this.#receivers.get(runId) === receivers) this.#receivers.delete(runId);
    };
    receivers.add(receiver);
    check();
    return stop;
  }

  /** Hands the messages that there are to those who wait for them, first come first served. */
  async collect(): Promise<void> {
    const runIds = [...this.#unchecked];
    this.#unchecked.clear();
    const waiting = runIds.flatMap((id) => [...(this.#receivers.get(id) ?? [])]);
    if (waiting.length === 0) return;
    const taken = runIds.flatMap((id) => [...(this.#taken.get(id) ?? [])]);
    try {
      for (const message of await findMessages(this.#db, waiting, taken)) this.#give(message);
    } catch (error) {
      for (const id of runIds) this.#unchecked.add(id);
      throw error;
    }
  }

  /** The receipt is recorded, so the database will not show the message again. */
  received(runId: RunId, messageId: number): void {
    const taken = this.#taken.get(runId);
    taken?.delete(messageId);
    if (taken?.size === 0) this.#taken.delete(runId);
  }

  /** The run has left memory: what it took and did not record is anybody's again. */
  forget(runId: RunId): void {
    this.#taken.delete(runId);
  }

  #give(message: WaitingMessage): void {
    const { runId, topic, id } = message;
    const taken = this.#taken.get(runId) ?? new Set<number>();
    if (taken.has(id)) return;
    for (const receiver of this.#receivers.get(runId) ?? []) {
      if (receiver.topic !== topic) continue;
      taken.add(id);
      this.#taken.set(runId, taken);
      return receiver.take(message);
    }
  }
}
