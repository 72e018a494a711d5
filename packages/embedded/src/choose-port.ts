// Chooses the port of a cluster: the one it had last, so that connection strings and reconnecting pools survive a restart,
// else a free one.

import { randomInt } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';

// Below the range that operating systems use for outgoing connections (from 32768 on Linux, 49152 elsewhere). Inside it, a
// client that keeps trying to reach a stopped server can be given that very port and connect to itself.
const lowestPort = 15_000;
const highestPort = 32_000;

/** The port written in `portFile` if it is free, else a free one chosen at random. */
export async function choosePort(portFile: string): Promise<number> {
  const previous = Number(await readFile(portFile, 'utf8').catch(() => ''));
  if (previous > 0 && (await isFree(previous))) return previous;
  for (;;) {
    const port = randomInt(lowestPort, highestPort);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1' }, () => server.close(() => resolve(true)));
  });
}
