// The conformance suite of the HTTP protocol. Every adapter runs it against itself, with how it serves an application; the client knows
// nothing but URLs.

import { describe } from '@jest/globals';
import { badInputConformance } from './bad-input.js';
import { eventConformance } from './events.js';
import { guardConformance } from './guards.js';
import { runConformance } from './runs.js';
import { startConformance } from './starts.js';
import { useHttpWorld, type Serve } from './world.js';

export { serveHere, type Serve } from './world.js';

/** An adapter under test. */
export interface HttpConformance {
  /** Stands before the names of the tests. */
  readonly name: string;
  readonly serve: Serve;
  /** Called after the last test. */
  readonly end?: () => Promise<void>;
  /** How many looks at a run the server has to bear. Default: 1,000. */
  readonly looks?: number;
}

/** Declares the tests of the protocol for an adapter. */
export function httpConformance({ name, serve, end = async () => {}, looks = 1_000 }: HttpConformance): void {
  describe(`the HTTP protocol on ${name}`, () => {
    const world = useHttpWorld(serve, end);
    startConformance(world);
    runConformance(world);
    guardConformance(world);
    eventConformance(world);
    badInputConformance(world, looks);
  });
}
