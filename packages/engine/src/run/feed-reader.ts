// Reads what is new of runs for all readers of one engine: those who ask while a statement is under way share the next one. So thousands
// of idle readers, who are all told to look again at the poll interval, cost a few statements.

import { readFeeds, type FeedAnswer, type FeedQuery } from '../store/feed.js';
import type { Queryable } from '../store/sql.js';

interface Asking {
  readonly query: FeedQuery;
  readonly resolve: (answer: FeedAnswer) => void;
  readonly reject: (error: unknown) => void;
}

// Bounds what one statement brings: readers times items.
const mostReaders = 200;
const itemsOfEach = 500;

/** The feed reader of one engine. */
export class FeedReader {
  readonly #db: Queryable;
  #waiting: Asking[] = [];
  #isReading = false;

  constructor(db: Queryable) {
    this.#db = db;
  }

  /** What is new behind a place. */
  read(query: FeedQuery): Promise<FeedAnswer> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ query, resolve, reject });
      if (!this.#isReading) void this.#readAll();
    });
  }

  async #readAll(): Promise<void> {
    this.#isReading = true;
    await Promise.resolve(); // whoever is told in the same moment asks in the same statement
    while (this.#waiting.length > 0) await this.#readSome(this.#waiting.splice(0, mostReaders));
    this.#isReading = false;
  }

  async #readSome(asking: readonly Asking[]): Promise<void> {
    try {
      const queries = asking.map(({ query }) => query);
      const answers = await readFeeds(this.#db, queries, itemsOfEach);
      asking.forEach(({ resolve, reject }, index) => {
        const answer = answers[index];
        if (answer === undefined) reject(new Error('a reader got no answer'));
        else resolve(answer);
      });
    } catch (error) {
      for (const { reject } of asking) reject(error);
    }
  }
}
