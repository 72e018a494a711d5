// A TCP proxy between an engine and its server, to lose connections at moments that matter.

import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** A way to the server that a test can break. */
export interface Proxy {
  /** Reaches the same database as the target URL. */
  readonly url: string;
  /**
   * Lets the next message with this text reach the server and, once the server has answered and so committed, drops the
   * answer and the connection. Resolves then.
   */
  dropAnswerTo(text: string): Promise<void>;
  /** Has the next message with this text never reach the server, and refuses from then on. Resolves then. */
  refuseFrom(text: string): Promise<void>;
  /** Breaks all connections on the client's side alone: the server goes on with what it has been sent. */
  cut(): void;
  /** Breaks all connections and lets no others in, until `admit`. */
  refuse(): void;
  /** Lets connections in again. */
  admit(): void;
  /** Forwards nothing any more in either direction on the present connections, and keeps them open. */
  freeze(): void;
  stop(): Promise<void>;
}

interface Trap {
  readonly text: string;
  readonly sprung: () => void;
}

interface Link {
  readonly client: Socket;
  readonly server: Socket;
}

/** Starts a proxy before the server of `targetUrl`, on a free port of this machine. */
export async function startProxy(targetUrl: string): Promise<Proxy> {
  const target = new URL(targetUrl);
  const links = new Set<Link>();
  const state: { isOpen: boolean; answer?: Trap | undefined; request?: Trap | undefined } = { isOpen: true };
  const refuse = (): void => {
    state.isOpen = false;
    for (const link of links) end(link);
  };
  const accept = (client: Socket): void => {
    client.on('error', () => undefined);
    if (!state.isOpen) return void client.destroy();
    const server = connect({ host: target.hostname, port: Number(target.port) });
    server.on('error', () => client.destroy());
    const link = { client, server };
    links.add(link);
    let dropped: (() => void) | undefined;
    client.on('data', (chunk) => {
      if (state.request !== undefined && chunk.includes(state.request.text)) {
        refuse();
        state.request.sprung();
        state.request = undefined;
        return;
      }
      if (state.answer !== undefined && chunk.includes(state.answer.text)) {
        dropped = state.answer.sprung;
        state.answer = undefined;
      }
      server.write(chunk);
    });
    server.on('data', (chunk) => {
      if (dropped === undefined) return void client.write(chunk);
      end(link);
      dropped();
    });
    client.on('close', () => (links.delete(link), server.end()));
    server.on('close', () => (links.delete(link), client.destroy()));
  };
  const end = ({ client, server }: Link): void => {
    client.destroy();
    server.destroy();
  };
  const listener = createServer(accept);
  const url = await listen(listener, target);
  return {
    url,
    dropAnswerTo: (text) => new Promise<void>((sprung) => (state.answer = { text, sprung })),
    refuseFrom: (text) => new Promise<void>((sprung) => (state.request = { text, sprung })),
    cut: () => {
      for (const { client, server } of links) {
        client.removeAllListeners('close');
        server.removeAllListeners('close');
        client.destroy();
      }
    },
    refuse,
    admit: () => {
      state.isOpen = true;
    },
    freeze: () => {
      for (const { client, server } of links) {
        client.pause();
        server.pause();
      }
    },
    stop: async () => {
      for (const link of links) end(link);
      listener.close();
      await once(listener, 'close');
    },
  };
}

async function listen(listener: Server, target: URL): Promise<string> {
  listener.listen({ port: 0, host: '127.0.0.1' });
  await once(listener, 'listening');
  const address = listener.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has no port');
  const url = new URL(target);
  url.hostname = '127.0.0.1';
  url.port = String(address.port);
  return url.href;
}
