// What runs write and ask outside of the journal: failed attempts, messages to other runs, events of other runs, the ends
// of their own streams, and that they are left to others. Everything here is safe to repeat, and is repeated until the database answers.

import type { Database } from '../store/database.js';
import type { EventQuery, EventState } from '../store/events.js';
import { insertMessage, type NewMessage, type Sent } from '../store/messages.js';
import { parkRuns, type ParkRow } from '../store/runs.js';
import { recordAttempt, type NewAttempt } from '../store/steps.js';
import { findStreamEnd, type StoredChunk } from '../store/streams.js';
import type { ExecutorId, RunId } from '../values/ids.js';
import type { Logger } from '../values/logger.js';
import { watchEvent } from './event-watch.js';
import type { Interests } from './interests.js';
import type { Mailbox } from './mailbox.js';
import { persist, type Persistence } from './persist.js';

/** What the exchange works with. */
export interface ExchangeOptions {
  readonly database: Database;
  readonly interests: Interests;
  readonly mailbox: Pick<Mailbox, 'passage'>;
  readonly logger: Logger;
  readonly persistence: (what: string) => Persistence;
  /** A message was committed for a run, and has not been handed over. */
  readonly onSent: (id: RunId, sent: Sent) => void;
}

/** The exchange of one executor. */
export class Exchange {
  readonly #options: ExchangeOptions;

  constructor(options: ExchangeOptions) {
    this.#options = options;
  }

  /** Records a failed attempt; tells when the next one is due, or nothing when the run is no longer owned. */
  async recordAttempt(attempt: NewAttempt): Promise<number | undefined> {
    return this.#persist('recording an attempt', () => recordAttempt(this.#options.database, attempt));
  }

  /** Sends a message that has a dedup key; nothing when the engine is closed before it got through. */
  async send(message: NewMessage): Promise<Sent | undefined> {
    return this.#persist('sending a message', () => this.sendOnce(message));
  }

  /** Sends a message, and hands it over if its run waits for it in this process and no other comes before it. Fails as the database does. */
  async sendOnce(message: NewMessage): Promise<Sent> {
    const { database, mailbox, onSent } = this.#options;
    const { runId, topic, body } = message;
    const handOver = mailbox.passage(runId, topic);
    const sent = await insertMessage(database, message);
    const isHandedOver = sent.firstId !== undefined && handOver?.({ id: sent.firstId, body }) === true;
    if (sent.isNew && !isHandedOver) onSent(runId, sent);
    // It may be the one whose answer was lost: nobody has been told of that, nor whether it has woken the run.
    if (sent.isDuplicate) onSent(runId, { ...sent, isWoken: true });
    return sent;
  }

  /** Calls back once when the event is set, or never will be. Returns how to stop. */
  onEvent(query: EventQuery, callback: (state: EventState) => void): () => void {
    const { database: db, interests, logger } = this.#options;
    return watchEvent({ db, interests, logger }, query, callback);
  }

  /** The last chunk of a stream. */
  async findStreamEnd(id: RunId, stream: string): Promise<StoredChunk | undefined> {
    return this.#persist('looking for the end of a stream', () => findStreamEnd(this.#options.database, id, stream));
  }

  /** Parks a run that is owned but not in memory; tells whether it is due, or nothing when it was not owned. */
  async release(executor: ExecutorId, run: ParkRow): Promise<boolean | undefined> {
    const { database, persistence } = this.#options;
    const stubbornly = { ...persistence('releasing a run'), isStubborn: true };
    const released = await persist(() => parkRuns(database, executor, [run]), stubbornly);
    return released?.get(run.id)?.isDue;
  }

  async #persist<T>(what: string, act: () => Promise<T>): Promise<T | undefined> {
    return persist(act, this.#options.persistence(what));
  }
}
