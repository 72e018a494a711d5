// A port for the API.

import { createServer } from 'node:net';

/** The port, or a free one if it is taken. */
export async function freePort(wanted: number): Promise<number> {
  const server = createServer();
  try {
    return await new Promise<number>((resolve, reject) => {
      server.once('error', reject).listen(wanted, '127.0.0.1', () => {
        const address = server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : wanted);
      });
    });
  } catch {
    return freePort(0);
  } finally {
    server.close();
  }
}
