// Hears what other processes tell, over a connection of its own that is opened again whenever it is lost. Each time it
// has been opened, everything that may have been missed is caught up with by a poll.

import type { Connection } from '../store/connection.js';
import type { Logger } from '../values/logger.js';
import { parseNews, type News } from './notifier.js';

/** What the listener works with. */
export interface ListenerOptions {
  readonly connect: () => Promise<Connection>;
  readonly channel: string;
  readonly onNews: (news: News) => void;
  /** It listens from now on, and may have missed something before. */
  readonly onGap: () => void;
  readonly logger: Logger;
}

const firstDelayMs = 50;
const lastDelayMs = 5_000;

/** The one listener of an engine. */
export class Listener {
  readonly #options: ListenerOptions;
  #connection: Connection | undefined;
  #isStopping = false;
  #loop: Promise<void> | undefined;
  #wakeUp: (() => void) | undefined;

  constructor(options: ListenerOptions) {
    this.#options = options;
  }

  /** Whether notifications arrive at present. */
  get isListening(): boolean {
    return this.#connection?.isOpen === true;
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#wakeUp?.();
    await this.#connection?.close();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { channel, onNews, onGap, logger } = this.#options;
    for (let delayMs = firstDelayMs; !this.#isStopping; delayMs = Math.min(delayMs * 2, lastDelayMs)) {
      try {
        const connection = await this.#options.connect();
        this.#connection = connection;
        const end = new Promise<void>((resolve, reject) => {
          connection.listen(channel, (payload) => onNews(parseNews(payload)), resolve).then(onGap, reject);
        });
        if (this.#isStopping) await connection.close();
        await end;
        delayMs = firstDelayMs;
      } catch (err) {
        logger.debug({ err }, 'listening failed; polling goes on meanwhile');
      }
      if (!this.#isStopping) await this.#pause(delayMs * (0.5 + Math.random() / 2));
    }
  }

  async #pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wakeUp = (): void => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
