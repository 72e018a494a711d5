// A TCP proxy before a test's server that loses connections at chosen statements, as networks and failovers do.

import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** When the connection of a statement is lost: see `TcpProxy.cut`. */
export type CutMoment =
  | 'before' // the server never gets the statement
  | 'during' // the server has got it and works on it
  | 'after'; // the server has carried it out and answered, but the answer is lost

/** A running proxy. */
export interface TcpProxy {
  /** Reaches the same database as the target URL, through the proxy. */
  readonly url: string;
  /**
   * Loses the connection on which the next statement goes that contains all of the texts, in its SQL, its name or its
   * parameters. Resolves when that has happened. Only once; several cuts wait independently of each other.
   */
  cut(moment: CutMoment, ...texts: (string | RegExp)[]): Promise<void>;
  /** Nothing passes any more in either direction, and no connection ends: as if a cable was pulled. */
  freeze(): void;
  /** What was held up passes, in order. */
  thaw(): void;
  /** Ends all connections and refuses new ones until `thaw`. */
  goDown(): void;
  stop(): Promise<void>;
}

interface Cut {
  readonly moment: CutMoment;
  readonly texts: readonly (string | RegExp)[];
  readonly done: () => void;
}

// ReadyForQuery: the last message of every answer. https://www.postgresql.org/docs/current/protocol-message-formats.html
const endOfAnswer = Buffer.from([0x5a, 0, 0, 0, 5]);

/** The statement that commits starts, checkpoints and outcomes: its prepared name, or its text where it has none. */
export const batchStatement = /perdure_write_batch|recorded as \(|started as \(/;

/** Starts a proxy before the server of a connection string. */
export async function startTcpProxy(targetUrl: string): Promise<TcpProxy> {
  const target = new URL(targetUrl);
  const cuts = new Set<Cut>();
  const sockets = new Set<Socket>();
  const state = { isFrozen: false, isDown: false };

  const server = createServer((client) => {
    if (state.isDown) return void client.destroy();
    const upstream = connect({ host: target.hostname, port: Number(target.port || 5432), noDelay: true });
    const close = (): void => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', close).on('close', () => {
        sockets.delete(socket);
        close();
      });
      if (state.isFrozen) socket.pause();
    }
    let lostAnswer: Cut | undefined;
    client.on('data', (data) => {
      const cut = findCut(cuts, data);
      if (cut !== undefined) cuts.delete(cut);
      if (cut?.moment !== 'before') upstream.write(data);
      if (cut?.moment === 'after') lostAnswer = cut;
      else if (cut !== undefined) upstream.write('', () => (close(), cut.done()));
    });
    upstream.on('data', (data) => {
      if (lostAnswer === undefined) return void client.write(data);
      if (!data.subarray(-6, -1).equals(endOfAnswer)) return;
      close();
      lostAnswer.done();
    });
  });
  server.listen({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');

  return {
    url: urlOf(target, server.address()),
    cut: (moment, ...texts) => new Promise((done) => cuts.add({ moment, texts, done })),
    freeze: () => {
      state.isFrozen = true;
      for (const socket of sockets) socket.pause();
    },
    thaw: () => {
      Object.assign(state, { isFrozen: false, isDown: false });
      for (const socket of sockets) socket.resume();
    },
    goDown: () => {
      state.isDown = true;
      for (const socket of sockets) socket.destroy();
    },
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function findCut(cuts: ReadonlySet<Cut>, data: Buffer): Cut | undefined {
  if (cuts.size === 0) return undefined;
  const sent = data.toString('utf8');
  const isIn = (text: string | RegExp): boolean => (typeof text === 'string' ? sent.includes(text) : text.test(sent));
  return [...cuts].find(({ texts }) => texts.every(isIn));
}

function urlOf(target: URL, address: ReturnType<ReturnType<typeof createServer>['address']>): string {
  if (address === null || typeof address === 'string') throw new Error('a TCP server has no port: nothing can connect');
  const url = new URL(target);
  url.hostname = '127.0.0.1';
  url.port = String(address.port);
  return url.href;
}
