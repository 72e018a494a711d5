// The lines that a process prints, and waiting for the one that matters.

import { EventEmitter, once } from 'node:events';

/** Which lines count. `what` completes "no …", for the error. */
export interface LineQuery {
  readonly what: string;
  readonly matches: (line: string) => boolean;
  readonly timeoutMs: number;
}

/** The lines so far. Each is taken at most once, so that the same question asked again finds the next one. */
export class LineLog {
  readonly lines: string[] = [];
  readonly #taken = new Set<number>();
  readonly #changes = new EventEmitter().setMaxListeners(0);
  #end: string | undefined;

  add(line: string): void {
    this.lines.push(line);
    this.#changes.emit('change');
  }

  /** No line will come any more; the reason goes into the errors of those who wait. */
  end(reason: string): void {
    this.#end = reason;
    this.#changes.emit('change');
  }

  /** The first matching line that was not taken before, from the past or the future. */
  async take(query: LineQuery): Promise<string> {
    const timeout = AbortSignal.timeout(query.timeoutMs);
    for (;;) {
      const line = this.#takeNow(query.matches);
      if (line !== undefined) return line;
      if (this.#end !== undefined) throw this.#missing(query, this.#end);
      const isLate = await once(this.#changes, 'change', { signal: timeout }).then(
        () => false,
        () => true,
      );
      if (isLate) throw this.#missing(query, `waited ${query.timeoutMs} ms`);
    }
  }

  #takeNow(matches: (line: string) => boolean): string | undefined {
    const index = this.lines.findIndex((line, at) => !this.#taken.has(at) && matches(line));
    this.#taken.add(index);
    return this.lines[index];
  }

  #missing({ what }: LineQuery, reason: string): Error {
    return new Error(`no ${what}: ${reason}. Printed so far:\n${this.lines.slice(-20).join('\n') || '(nothing)'}`);
  }
}
