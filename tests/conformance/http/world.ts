// The world of a suite: a database, and servers of the application in its scenarios.

import { afterAll, afterEach, beforeAll } from '@jest/globals';
import type { HttpOptions } from '@perdure/http';
import { createTestDatabase, type TestDatabase } from '@perdure/testing';
import { silentLogger, type Engine, type EngineOptions } from 'perdure';
import { drivenOptions, engineOptions, httpOptionsOf, isDriven, type Scenario } from './application.js';

/** What an adapter gets to serve. */
export interface ServedScenario {
  readonly scenario: Scenario;
  readonly databaseUrl: string;
}

/** A server that listens. */
export interface ServedApplication {
  /** Where the protocol is mounted, as `http://127.0.0.1:1234/perdure`. */
  readonly url: string;
  /** Launched, on the server's database. */
  readonly engine: Engine;
  /** Ends streams, server and engine, and serves again at the same URL. */
  restart(): Promise<ServedApplication>;
  /** Gives back what the test has had. */
  close(): Promise<void>;
}

/** Starts a server. */
export type Serve = (served: ServedScenario) => Promise<ServedApplication>;

/** The options of a scenario, for an adapter that serves it in the process of the test. */
export interface HttpApplication {
  readonly engineOptions: EngineOptions;
  readonly httpOptions: HttpOptions;
  /** Where to listen, on the loopback; 0 for any free port. */
  readonly port: number;
}

/** A server in the process of the test; `close` ends streams, server and engine. */
export type LocalApplication = Omit<ServedApplication, 'restart'>;

/** A `Serve` of servers in the process of the test, each of which has a test for itself. */
export function serveHere(serve: (application: HttpApplication) => Promise<LocalApplication>): Serve {
  return async ({ scenario, databaseUrl }) => {
    const options = isDriven(scenario) ? drivenOptions : engineOptions;
    const application = {
      engineOptions: { ...options, database: databaseUrl, logger: silentLogger },
      httpOptions: { ...httpOptionsOf(scenario), basePath: '/perdure', logger: silentLogger },
    };
    const serveAt = async (port: number): Promise<ServedApplication> => {
      const server = await serve({ ...application, port });
      const restart = async (): Promise<ServedApplication> => {
        await server.close();
        return serveAt(Number(new URL(server.url).port));
      };
      return { ...server, restart };
    };
    return serveAt(0);
  };
}

/** The world of a test file. */
export interface HttpWorld {
  /** A server for a test; closed after it. */
  serve(scenario?: Scenario): Promise<ServedApplication>;
}

/** Call it once at the top of a suite. `end`: what is to be done after the last test. */
export function useHttpWorld(serve: Serve, end: () => Promise<void>): HttpWorld {
  let database: TestDatabase | undefined;
  const served = new Set<ServedApplication>();
  const track = (application: ServedApplication): ServedApplication => {
    served.add(application);
    const restart = async (): Promise<ServedApplication> => {
      served.delete(application);
      return track(await application.restart());
    };
    return { ...application, restart };
  };

  beforeAll(async () => {
    database = await createTestDatabase({ prefix: 'perdure_http' });
  });
  afterEach(async () => {
    await Promise.all([...served].map((application) => application.close()));
    served.clear();
  });
  afterAll(async () => {
    await end();
    await database?.drop();
  });

  return {
    serve: async (scenario = 'plain') => {
      if (database === undefined) throw new Error('the database is there only inside of tests');
      return track(await serve({ scenario, databaseUrl: database.url }));
    },
  };
}
