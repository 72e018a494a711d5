// The routes of the protocol: one table, one handler per file.

import type { RouteHandler } from './call.js';
import { cancelRun } from './handlers/cancel-run.js';
import { readRun } from './handlers/read-run.js';
import { sendMessage } from './handlers/send-message.js';
import { startRun } from './handlers/start.js';
import { tick } from './handlers/tick.js';
import { watchRun } from './handlers/watch-run.js';

/** What one path answers. */
export interface Route {
  readonly path: string;
  readonly methods: ReadonlyMap<string, RouteHandler>;
}

const route = (path: string, methods: Readonly<Record<string, RouteHandler>>): Route => ({
  path,
  methods: new Map(Object.entries(methods)),
});

/** All of them. */
const routes: readonly Route[] = [
  route('/start/:workflow', { POST: startRun }),
  route('/runs/:id', { GET: readRun, HEAD: readRun }),
  route('/runs/:id/events', { GET: watchRun, HEAD: watchRun }),
  route('/runs/:id/topics/:topic', { POST: sendMessage }),
  route('/runs/:id/cancel', { POST: cancelRun }),
  route('/tick', { GET: tick, POST: tick }),
];

/** A route that fits a path, and what stands in the places of its parameters. */
export interface Match {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

/** The route of a path below the mount, without its query. */
export function matchRoute(path: string): Match | undefined {
  const given = path.split('/');
  for (const candidate of routes) {
    const params = readParams(candidate.path.split('/'), given);
    if (params !== undefined) return { route: candidate, params };
  }
  return undefined;
}

function readParams(wanted: readonly string[], given: readonly string[]): Match['params'] | undefined {
  if (wanted.length !== given.length) return undefined;
  const params: Record<string, string> = {};
  for (const [at, part] of wanted.entries()) {
    const isParam = part.startsWith(':');
    const value = isParam ? decoded(given[at] ?? '') : given[at];
    if (value === undefined || (!isParam && value !== part)) return undefined;
    if (isParam) params[part.slice(1)] = value;
  }
  return params;
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined; // broken escapes name nothing
  }
}
