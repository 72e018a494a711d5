// Hosts workflows whose steps say that they execute, for tests that kill it and start another.

import { currentRun, runStep, workflow } from '../../src/index.js';
import { launchChildEngine, say } from '../support/child-engine.js';

async function sayingStep<Result>(name: string, run: () => Result): Promise<Result> {
  return runStep(name, () => {
    say('executed', { step: name, run: currentRun().id });
    return run();
  });
}

const sequence = workflow('sequence', async (base: number) => {
  const first = await sayingStep('first', () => base + 1);
  const second = await sayingStep('second', () => first + 1);
  return sayingStep('third', () => second + 1);
});

const inner = workflow('inner', async () => {
  const nothing = await sayingStep('inner 1', () => undefined);
  await sayingStep('inner 2', () => 2);
  return nothing;
});

const middle = workflow('middle', async () => [await sayingStep('middle 1', () => 'm'), await inner()]);

const outer = workflow('outer', async () => [
  await sayingStep('outer 1', () => 'o'),
  ...(await middle()),
  await inner(),
]);

const refusing = workflow('refusing', async () => {
  try {
    await sayingStep('refuse', () => {
      const cause = new RangeError('limit 5', { cause: new Error('account frozen') });
      throw Object.assign(new TypeError('declined', { cause }), { code: 'E_DECLINED', name: 'CardError', amount: 7n });
    });
  } catch (error) {
    say('caught', describe(error));
    await sayingStep('afterwards', () => 1);
    throw error;
  }
});

// Everything that callers may look at, and whether the class is the same.
function describe(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { notAnError: String(error) };
  const { name, message, stack, cause } = error;
  const properties = Object.entries(error).map(([key, value]) => `${key}: ${String(value)}`);
  const isTypeError = error instanceof TypeError;
  return { name, message, stack, properties, isTypeError, ...(cause !== undefined && { cause: describe(cause) }) };
}

await launchChildEngine({ workflows: [sequence, outer, middle, inner, refusing] });
say('launched');
