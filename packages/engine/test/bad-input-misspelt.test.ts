// Options with a letter wrong, from programs without types: each would silently have no effect.

import { expect, test } from '@jest/globals';
import { runStep, step, workflow } from '../src/index.js';
import { perdureErrorOf } from './support/perdure-error-of.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();

/** What a program without types may pass. */
function untyped(options: Readonly<Record<string, unknown>>): Readonly<Record<string, never>> {
  return options as Readonly<Record<string, never>>;
}

test.each([
  ['a step', () => step('charge', async () => 1, untyped({ retries: 5 }))],
  ['a retry policy', () => step('charge', async () => 1, { retry: untyped({ attempts: 5 }) })],
  ['a workflow', () => workflow('charge', async () => 1, untyped({ timeuot: '1s' }))],
])('a misspelt option of %s is refused where it is defined', (_what, define) => {
  expect(define).toThrow(/OPTION_INVALID.*have no such option; known are /);
});

test('a misspelt option of a start is refused, and nothing is started', async () => {
  const charge = workflow('charge', async (amount: number) => runStep('charge', () => amount));
  const engine = await db.launchEngine({ workflows: [charge] });

  const error = await perdureErrorOf(engine.startWorkflow(charge, 7, untyped({ ID: 'order-7' })), 'OPTION_INVALID');

  expect(error.message).toContain('ID');
  expect(await db.query('select id from perdure.runs')).toEqual([]);
});
