// Tells other processes that there is something for them. No NOTIFY ever stands in a writing transaction (measured: five
// to eight times slower commits): what is to be told gathers, and goes as one NOTIFY every few milliseconds at most.
// Losing a notification costs time, never correctness: everything is also found by polling.

import { createHash } from 'node:crypto';
import { statement, type Queryable } from '../store/sql.js';
import type { Logger } from '../values/logger.js';

/** What processes tell each other. Short keys: a payload has 8,000 bytes at most. */
export interface News {
  /** Some run is due. */
  readonly due?: true | undefined;
  /** Runs that have got their outcome and are watched. */
  readonly ended?: readonly string[] | undefined;
  /** Runs that were cancelled or paused while running, each as `epoch id`. */
  readonly cut?: readonly string[] | undefined;
  /** Runs that have published something or got a message. */
  readonly touched?: readonly string[] | undefined;
  /** Messages were sent from SQL, and are to be announced. */
  readonly sent?: true | undefined;
  /** A schedule was created, changed or resumed. */
  readonly scheduled?: true | undefined;
  /** A sign of life brings news now: the time was set, or an executor declared dead. Told by tests alone. */
  readonly beat?: true | undefined;
}

/** The channel of a schema: a name of at most 63 bytes, the most that pg_notify takes. */
export function channelOf(schema: string): string {
  const name = `perdure_${schema}`;
  if (Buffer.byteLength(name) <= 63) return name;
  return `perdure_${createHash('sha256').update(schema).digest('hex').slice(0, 32)}`;
}

const notify = statement('notify', 'select pg_notify($1, $2)');
const maxPayload = 7_000;
const intervalMs = 4;

/** The one notifier of an engine. */
export class Notifier {
  readonly #db: Queryable;
  readonly #channel: string;
  readonly #logger: Logger;
  #due = false;
  #scheduled = false;
  #ended = new Set<string>();
  #cut = new Set<string>();
  #touched = new Set<string>();
  #sending: Promise<void> | undefined;
  #isClosed = false;

  constructor(db: Queryable, channel: string, logger: Logger) {
    this.#db = db;
    this.#channel = channel;
    this.#logger = logger;
  }

  /** Adds to what is sent next: at once when idle, else with the next portion. */
  tell(news: News): void {
    if (this.#isClosed) return;
    if (news.due === true) this.#due = true;
    if (news.scheduled === true) this.#scheduled = true;
    for (const id of news.ended ?? []) this.#ended.add(id);
    for (const id of news.cut ?? []) this.#cut.add(id);
    for (const id of news.touched ?? []) this.#touched.add(id);
    if (this.#hasNews) this.#sending ??= this.#send();
  }

  /** Sends what is left. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#sending;
  }

  get #hasNews(): boolean {
    return this.#due || this.#scheduled || this.#ended.size + this.#cut.size + this.#touched.size > 0;
  }

  // Never called without news: it would end, and clear #sending, before tell() has set it.
  async #send(): Promise<void> {
    while (this.#hasNews) {
      try {
        await this.#db.query(notify, [this.#channel, JSON.stringify(this.#take())]);
      } catch (err) {
        this.#logger.debug({ err }, 'a notification was lost; polling makes up for it');
      }
      if (!this.#isClosed) await new Promise((resolve) => setTimeout(resolve, intervalMs));
    }
    this.#sending = undefined;
  }

  #take(): News {
    const due = this.#due ? true : undefined;
    const scheduled = this.#scheduled ? true : undefined;
    this.#due = this.#scheduled = false;
    let left = maxPayload;
    const takeIds = (ids: Set<string>): readonly string[] | undefined => {
      const taken: string[] = [];
      for (const id of ids) {
        left -= Buffer.byteLength(JSON.stringify(id)) + 1;
        if (left < 0) break;
        taken.push(id);
        ids.delete(id);
      }
      return taken.length > 0 ? taken : undefined;
    };
    return { due, scheduled, ended: takeIds(this.#ended), cut: takeIds(this.#cut), touched: takeIds(this.#touched) };
  }
}

/** Reads a payload; what is not ours reads as nothing. */
export function parseNews(payload: string): News {
  try {
    const parsed: unknown = JSON.parse(payload);
    if (typeof parsed !== 'object' || parsed === null) return {};
    const texts = (value: unknown): readonly string[] => (Array.isArray(value) ? value.map(String) : []);
    return {
      due: 'due' in parsed && parsed.due === true ? true : undefined,
      scheduled: 'scheduled' in parsed && parsed.scheduled === true ? true : undefined,
      sent: 'sent' in parsed && parsed.sent === true ? true : undefined,
      beat: 'beat' in parsed && parsed.beat === true ? true : undefined,
      ended: 'ended' in parsed ? texts(parsed.ended) : [],
      cut: 'cut' in parsed ? texts(parsed.cut) : [],
      touched: 'touched' in parsed ? texts(parsed.touched) : [],
    };
  } catch {
    return {};
  }
}
