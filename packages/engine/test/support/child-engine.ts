// For programs under test/programs: an engine on the database of the test that started the program, and lines to tell
// the test what happens. Imports nothing of Jest.

import { createEngine, silentLogger, type Engine, type EngineOptions } from '../../src/index.js';

/** The environment variable by which a test tells a child process how to make its engine. */
export const engineOptionsVariable = 'PERDURE_TEST_ENGINE';

/** An engine that is launched, with the options that the test chose and those given here. */
export async function launchChildEngine(options: Partial<EngineOptions> = {}): Promise<Engine> {
  const chosen = JSON.parse(process.env[engineOptionsVariable] ?? '{}') as EngineOptions;
  return createEngine({ logger: silentLogger, ...chosen, ...options }).launch();
}

/** Tells the test something: it waits for it with `child.message(type)`. */
export function say(type: string, fields: Readonly<Record<string, unknown>> = {}): void {
  console.log(JSON.stringify({ type, ...fields }));
}
