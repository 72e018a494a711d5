// How engines are made.

import { requireOptions } from '../values/unknown-options.js';
import { Engine } from './engine.js';
import type { EngineOptions } from './options.js';

/**
 * An engine. Nothing happens before `launch`. Throws OPTION_INVALID, WORKFLOW_DUPLICATE.
 *
 * @example
 * const engine = createEngine({ database: process.env.DATABASE_URL, workflows: [checkout] });
 * await engine.launch();
 * const run = await engine.startWorkflow(checkout, order, { id: `order-${order.id}` });
 * console.log(await run.result());
 * await engine.close();
 */
export function createEngine(options: EngineOptions): Engine {
  requireOptions(options, { database: true }, 'engines');
  return new Engine(options);
}
