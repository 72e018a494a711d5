// Server-sent events over fetch: headers can be set and refusals can be read, which EventSource cannot do; and it is the same in
// browsers and in Node. The format: https://html.spec.whatwg.org/multipage/server-sent-events.html

/** One event of a stream. */
export interface ServerSentEvent {
  /** The type; `message` when none was given. */
  readonly event: string;
  readonly data: string;
  /** The last id so far. */
  readonly id: string | undefined;
}

/** What one portion of bytes has brought. */
export interface Portion {
  readonly events: readonly ServerSentEvent[];
  /** How long the server asks to wait before a new connection. */
  readonly retryMs: number | undefined;
}

/** Reads a body, one portion of bytes at a time, so that what comes together is shown together. */
export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<Portion, void, undefined> {
  const decoder = new TextDecoder();
  const reader = body.getReader();
  const parser = new Parser();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield parser.parse(decoder.decode(value, { stream: true }));
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

class Parser {
  #rest = '';
  #data: string[] = [];
  #event = '';
  #id: string | undefined;

  parse(text: string): Portion {
    const events: ServerSentEvent[] = [];
    let retryMs: number | undefined;
    const all = this.#rest + text;
    // A carriage return at the end may be the first half of a line end.
    const whole = all.endsWith('\r') ? all.slice(0, -1) : all;
    const lines = whole.split(/\r\n|\n|\r/);
    this.#rest = (lines.pop() ?? '') + all.slice(whole.length);
    for (const line of lines) {
      if (line === '') events.push(...this.#dispatch());
      else retryMs = this.#field(line) ?? retryMs;
    }
    return { events, retryMs };
  }

  #field(line: string): number | undefined {
    const [, name, value = ''] = /^([^:]*)(?:: ?(.*))?$/.exec(line) ?? [];
    if (name === 'data') this.#data.push(value);
    else if (name === 'event') this.#event = value;
    else if (name === 'id' && !value.includes('\0')) this.#id = value;
    else if (name === 'retry' && /^\d+$/.test(value)) return Number(value);
    return undefined;
  }

  #dispatch(): ServerSentEvent[] {
    const found =
      this.#data.length === 0 ? [] : [{ event: this.#event || 'message', data: this.#data.join('\n'), id: this.#id }];
    this.#data = [];
    this.#event = '';
    return found;
  }
}
