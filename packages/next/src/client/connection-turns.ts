// Over HTTP/1.1 browsers open six connections to a host, and a stream of events holds one. So that a page that follows many runs can
// still ask for something else, its streams take turns; each goes on behind what it has seen.

/** A time in which a stream may hold a connection. */
export interface Turn {
  /** Fires when the turn is over because others are waiting, or the taker has left. */
  readonly signal: AbortSignal;
  /** The stream has told something. A turn does not end before. */
  readonly heard: () => void;
  /** Gives the connection back. */
  readonly end: () => void;
}

/** How many streams there may be at once, and how long each may go on, from its first word, while others wait. */
export interface TurnOptions {
  readonly connections: () => number;
  readonly turnMs: number;
}

/** Whose turn it is. */
export class ConnectionTurns {
  readonly #options: TurnOptions;
  readonly #holders = new Set<Holder>(); // the longest first
  readonly #line = new Map<Holder, () => void>();

  constructor(options: TurnOptions) {
    this.#options = options;
  }

  /** Waits in line for a connection. When `signal` fires meanwhile, it is a turn that is over. */
  async take(signal: AbortSignal): Promise<Turn> {
    const holder = new Holder(this.#options.turnMs);
    const end = (): void => {
      signal.removeEventListener('abort', leave);
      this.#line.delete(holder);
      this.#holders.delete(holder);
      this.#admit();
    };
    const leave = (): void => {
      holder.over.abort();
      this.#line.get(holder)?.();
      end();
    };
    const admitted = new Promise<void>((go) => this.#line.set(holder, go));
    signal.addEventListener('abort', leave);
    if (signal.aborted) leave();
    else this.#admit();
    await admitted;
    return { signal: holder.over.signal, heard: () => holder.heard(), end };
  }

  #admit(): void {
    for (const [holder, go] of this.#line) {
      if (this.#holders.size >= this.#options.connections()) break;
      this.#line.delete(holder);
      this.#holders.add(holder);
      go();
    }
    for (const holder of [...this.#holders].slice(0, this.#line.size)) holder.makeRoom();
  }
}

class Holder {
  readonly over = new AbortController();
  readonly #turnMs: number;
  #heardAt: number | undefined;
  #isWanted = false;

  constructor(turnMs: number) {
    this.#turnMs = turnMs;
  }

  heard(): void {
    if (this.#heardAt !== undefined) return;
    this.#heardAt = performance.now();
    if (this.#isWanted) this.#endInTime(this.#heardAt);
  }

  makeRoom(): void {
    if (this.#isWanted) return;
    this.#isWanted = true;
    if (this.#heardAt !== undefined) this.#endInTime(this.#heardAt);
  }

  #endInTime(heardAt: number): void {
    setTimeout(() => this.over.abort(), Math.max(0, heardAt + this.#turnMs - performance.now()));
  }
}

/** The turns of the page: its connections are shared by everything in it, whichever client it uses. */
export const turnsOfPage = new ConnectionTurns({ connections: connectionsOfPage, turnMs: 1_000 });

// Two are left for other requests. HTTP/2 and 3 have no such limit, and neither has what is no page, as Node; jsdom does not even say.
function connectionsOfPage(): number {
  const page: { getEntriesByType?(type: string): readonly object[] } = performance; // its type is Node's
  const [navigation] = page.getEntriesByType?.('navigation') ?? [];
  if (navigation === undefined) return Infinity;
  const protocol = 'nextHopProtocol' in navigation ? navigation.nextHopProtocol : undefined;
  return protocol === 'h2' || protocol === 'h3' ? Infinity : 4;
}
