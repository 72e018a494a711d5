// The runs of this executor that wait for a message, and the messages that they have taken. One statement looks for all
// of them; a message that is sent in this process may be handed over without it. A message is received for good when the checkpoint
// that receives it commits; until then it is taken in memory only.

import { findMessages, type WaitingMessage } from '../store/messages.js';
import type { Queryable } from '../store/sql.js';
import type { RunId } from '../values/ids.js';
import type { Interests } from './interests.js';

/** A message; the time is known of those that were looked for. */
type Given = Omit<WaitingMessage, 'sentAtMs'> & { readonly sentAtMs: number | undefined };

interface Receiver {
  readonly runId: RunId;
  readonly topic: string;
  /** Of the database's time. What is sent later is for others. */
  readonly untilMs: number;
  readonly take: (message: Given) => void;
  /** Its time is up: a look that begins from now on is the last one for it. */
  onNothing: (() => void) | undefined;
}

/** A receiver that waits. */
export interface Reception {
  readonly stop: () => void;
  /** Looks once more, for what was sent in time; calls back if nothing was. */
  readonly stopAfterLook: (onNothing: () => void) => void;
}

// Those of one run. As long as one of them waits, it is the same object: the run has not left memory since.
interface Receivers {
  readonly all: Set<Receiver>;
  /** How many messages that were looked for they have been given. */
  found: number;
}

// What has happened since a look began, and its answer does not know of.
interface Meanwhile {
  /** Messages: it may find them, and they may be received for good before it is answered. */
  readonly handedOver: Set<number>;
  /** Runs: they may have received elsewhere what it finds, and be back. */
  readonly left: Set<RunId>;
}

/** Hands over a message that is committed; tells whether it has. Otherwise the next one has to be looked for. */
export type Passage = (message: Pick<WaitingMessage, 'id' | 'body'>) => boolean;

/** The receivers of one executor. */
export class Mailbox {
  readonly #db: Queryable;
  readonly #interests: Interests;
  readonly #onMail: () => void;
  readonly #receivers = new Map<RunId, Receivers>();
  readonly #taken = new Map<RunId, Set<number>>();
  readonly #unchecked = new Set<RunId>();
  #meanwhile: Meanwhile | undefined;

  /** `onMail`: a `collect` is wanted. */
  constructor(db: Queryable, interests: Interests, onMail: () => void) {
    this.#db = db;
    this.#interests = interests;
    this.#onMail = onMail;
  }

  /** Calls back once, with the oldest message of the topic that nobody has taken. */
  receive(runId: RunId, wanted: Pick<Receiver, 'topic' | 'untilMs'>, take: Receiver['take']): Reception {
    const receivers = this.#receivers.get(runId) ?? { all: new Set(), found: 0 };
    this.#receivers.set(runId, receivers);
    const check = (): void => {
      this.#unchecked.add(runId);
      this.#onMail();
    };
    const stopListening = this.#interests.on(runId, check);
    const receiver: Receiver = { runId, ...wanted, take: (message) => (stop(), take(message)), onNothing: undefined };
    const stop = (): void => {
      stopListening();
      receivers.all.delete(receiver);
      if (receivers.all.size === 0 && this.#receivers.get(runId) === receivers) this.#receivers.delete(runId);
    };
    receivers.all.add(receiver);
    check();
    const stopAfterLook = (onNothing: () => void): void => {
      receiver.onNothing = onNothing;
      check();
    };
    return { stop, stopAfterLook };
  }

  /**
   * The way for a message that is about to be sent, if its run waits here; it is open only for one that the database calls the first. It is
   * closed by the time of the answer when a look has found messages for the run, for this may have been one of them, and when the run
   * has stopped waiting since: then it may have left, and received the message elsewhere.
   */
  passage(runId: RunId, topic: string): Passage | undefined {
    const receivers = this.#receivers.get(runId);
    if (receivers === undefined) return undefined;
    const { found } = receivers;
    return ({ id, body }) => {
      if (this.#receivers.get(runId) !== receivers || receivers.found !== found) return false;
      const isGiven = this.#give({ id, runId, topic, body, sentAtMs: undefined });
      if (isGiven) this.#meanwhile?.handedOver.add(id);
      return isGiven;
    };
  }

  /** Hands the messages that there are to those who wait for them, first come first served. */
  async collect(): Promise<void> {
    const runIds = [...this.#unchecked];
    this.#unchecked.clear();
    const waiting = runIds.flatMap((id) => [...(this.#receivers.get(id)?.all ?? [])]);
    if (waiting.length === 0) return;
    const leaving = waiting.filter(({ onNothing }) => onNothing !== undefined);
    const taken = runIds.flatMap((id) => [...(this.#taken.get(id) ?? [])]);
    const { handedOver, left } = (this.#meanwhile = { handedOver: new Set<number>(), left: new Set<RunId>() });
    try {
      for (const message of await findMessages(this.#db, waiting, taken)) {
        const receivers = this.#receivers.get(message.runId);
        if (receivers === undefined || handedOver.has(message.id) || left.has(message.runId)) continue;
        receivers.found += 1;
        this.#give(message);
      }
      for (const one of leaving) if (this.#receivers.get(one.runId)?.all.has(one) === true) one.onNothing?.();
    } catch (error) {
      for (const id of runIds) this.#unchecked.add(id);
      throw error;
    } finally {
      this.#meanwhile = undefined;
    }
  }

  /** The receipt is recorded, so the database will not show the message again. */
  received(runId: RunId, messageId: number): void {
    const taken = this.#taken.get(runId);
    taken?.delete(messageId);
    if (taken?.size === 0) this.#taken.delete(runId);
  }

  /** The run has left memory: what it took and did not record is anybody's again. If it is back, it asks anew. */
  forget(runId: RunId): void {
    this.#taken.delete(runId);
    this.#meanwhile?.left.add(runId);
  }

  #give(message: Given): boolean {
    const { runId, topic, id, sentAtMs } = message;
    const taken = this.#taken.get(runId) ?? new Set<number>();
    if (taken.has(id)) return false;
    for (const receiver of this.#receivers.get(runId)?.all ?? []) {
      if (receiver.topic !== topic || isTooLate(receiver, sentAtMs)) continue;
      taken.add(id);
      this.#taken.set(runId, taken);
      receiver.take(message);
      return true;
    }
    return false;
  }
}

function isTooLate({ untilMs, onNothing }: Receiver, sentAtMs: number | undefined): boolean {
  return sentAtMs === undefined ? onNothing !== undefined : sentAtMs > untilMs;
}
