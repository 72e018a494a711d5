// Applications of one test file: a database, engines as `definePerdure` makes them, and servers for their routes.

import { randomUUID } from 'node:crypto';
import type { Server } from 'node:http';
import { afterAll, afterEach, beforeAll } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '@perdure/testing';
import { silentLogger } from 'perdure';
import { definePerdure, type NextOptions, type Perdure } from '../../src/index.js';

/** What a test file works with. */
export interface Applications {
  readonly url: string;
  /** An engine under a name of its own, closed after the test. */
  define(options?: Partial<NextOptions>): Perdure;
  /** The same, booted. */
  boot(options?: Partial<NextOptions>): Promise<Perdure>;
  /** A server that is stopped after the test. */
  adopt(server: Server): void;
}

/** Call it once at the top of a test file. */
export function useApplications(): Applications {
  let database: TestDatabase | undefined;
  const defined: Perdure[] = [];
  const servers: Server[] = [];
  beforeAll(async () => {
    database = await createTestDatabase({ prefix: 'perdure_next' });
  });
  afterEach(async () => {
    for (const server of servers.splice(0)) await stop(server);
    for (const perdure of defined.splice(0)) await perdure.close();
  });
  afterAll(async () => database?.drop());
  const url = (): string => {
    if (database === undefined) throw new Error('the database is there once the tests run');
    return database.url;
  };
  const define = (options: Partial<NextOptions> = {}): Perdure => {
    const perdure = definePerdure({ name: randomUUID(), database: url(), logger: silentLogger, ...options });
    defined.push(perdure);
    return perdure;
  };
  return {
    get url() {
      return url();
    },
    define,
    async boot(options) {
      const perdure = define(options);
      await perdure.boot();
      return perdure;
    },
    adopt: (server) => void servers.push(server),
  };
}

/** Ends a server and every connection to it. */
export async function stop(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
}
