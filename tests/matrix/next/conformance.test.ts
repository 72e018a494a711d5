// The conformance suite of HTTP, on an application of the matrix that Next serves: the same tests as those of routes.ts and pages.ts without
// a Next around them. matrix.ts runs this file for one cell at a time, and names the folder and the command in the environment.

import { jest } from '@jest/globals';
import { createEngine, silentLogger } from 'perdure';
import { httpConformance, type HttpConformance, type Serve } from '../../conformance/http/http-conformance.js';
import { applicationIn, type Running } from './application.js';

// In development, Next compiles what the first test of a router asks for.
jest.setTimeout(120_000);

const { MATRIX_APPLICATION: folder = '', MATRIX_COMMAND: command = '' } = process.env;
const application = applicationIn(folder);

httpConformance({ name: `Next's App Router, ${command}`, looks: 500, ...servedAt('/conformance') });
httpConformance({ name: `Next's Pages Router, ${command}`, looks: 500, ...servedAt('/api/conformance') });

/** One server with a mount for each scenario, since starting one for each test would take most of the time. */
function servedAt(mount: string): Required<Pick<HttpConformance, 'serve' | 'end'>> {
  let running: Promise<Running> | undefined;
  const serve: Serve = async (served) => {
    const env = { DATABASE_URL: served.databaseUrl, MATRIX_CONFORMANCE: '1' };
    running ??= application.start(command.split(' '), env);
    const server = await running;
    // The tests' own: it starts and looks, and the server does the work.
    const engine = await createEngine({ database: served.databaseUrl, workflows: [], logger: silentLogger }).launch();
    const close = (): Promise<void> => engine.close();
    const restart: Awaited<ReturnType<Serve>>['restart'] = async () => {
      await Promise.all([server.end('SIGTERM'), close()]);
      running = application.start(command.split(' '), { ...env, PORT: new URL(server.url).port });
      return serve(served);
    };
    return { url: `${server.url}${mount}/${served.scenario}`, engine, restart, close };
  };
  return { serve, end: async () => void (await (await running)?.end('SIGTERM')) };
}
