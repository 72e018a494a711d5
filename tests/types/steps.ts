// What the compiler accepts and refuses of steps and of the functions that act on the current run. Never executed.

import {
  currentRun,
  currentStep,
  log,
  now,
  patched,
  random,
  runStep,
  sleep,
  sleepUntil,
  step,
  uuid,
  type CurrentRun,
  type StepContext,
} from 'perdure';
import { expectType } from './expect-type.js';

interface Receipt {
  readonly id: string;
}

const charge = step('charge', async (card: string, total: number): Promise<Receipt> => ({ id: `${card} ${total}` }));
const count = step('count', (text: string) => text.length);
const notify = step('notify', async (to: string, subject = 'news') => void [to, subject]);
const sum = step('sum', async (...numbers: readonly number[]) => numbers.length);
const identity = step('identity', async <T>(value: T): Promise<T> => value);

export async function calls(): Promise<void> {
  expectType<Receipt>()(await charge('visa', 7));
  expectType<Promise<number>>()(count('text'));
  await notify('Ada');
  await notify('Ada', 'receipt');
  await sum(1, 2, 3);
  expectType<'x'>()(await identity<'x'>('x'));
  // @ts-expect-error an argument is missing
  await charge('visa');
  // @ts-expect-error an argument has the wrong type
  await charge('visa', '7');
  // @ts-expect-error an argument is too many
  await charge('visa', 7, 'EUR');
  // @ts-expect-error all are numbers
  await sum(1, '2');
  // @ts-expect-error the result has no such field
  (await charge('visa', 7)).number;
  // @ts-expect-error a step is asynchronous, even where its function is not
  count('text').toFixed();
}

export async function inline(): Promise<void> {
  expectType<string>()(await runStep('receipt', async () => 'sent'));
  expectType<number>()(await runStep('length', () => 4));
  expectType<number | undefined>()(await runStep('maybe', async () => (random() < 0.5 ? random() : undefined)));
  // @ts-expect-error the name is missing
  await runStep(async () => 'sent');
  // @ts-expect-error a value is no function
  await runStep('receipt', 'sent');
  // @ts-expect-error nobody passes arguments to the function
  await runStep('receipt', async (to: string) => to);
}

export function options(): void {
  step('all', async () => 1, {
    retry: { maxAttempts: Infinity, delay: '1s', backoff: 2, maxDelay: 60_000, jitter: 0.2, shouldRetry: () => true },
    timeout: '30s',
    formerly: 'everything',
  });
  step('defaults', async () => 1, { retry: {} });
  step('jitter', async () => 1, { retry: { jitter: false } });
  step('verdict', async () => 1, { retry: { shouldRetry: async (error, attempt) => error === attempt } });
  // @ts-expect-error there is no such option
  step('unknown', async () => 1, { retries: 3 });
  // @ts-expect-error retry is an object
  step('number', async () => 1, { retry: 3 });
  // @ts-expect-error there is no such option of retry
  step('attempts', async () => 1, { retry: { attempts: 3 } });
  // @ts-expect-error the verdict is a boolean
  step('verdict', async () => 1, { retry: { shouldRetry: () => 'yes' } });
  // @ts-expect-error nothing is known of the error
  step('verdict', async () => 1, { retry: { shouldRetry: (error) => error.code === 'E' } });
  // @ts-expect-error a timeout is a duration
  step('timeout', async () => 1, { timeout: new Date() });
  // @ts-expect-error there was one former name
  step('formerly', async () => 1, { formerly: ['a', 'b'] });
}

export async function values(): Promise<void> {
  expectType<Date>()(now());
  expectType<number>()(random());
  expectType<string>()(uuid());
  expectType<boolean>()(patched('fraud check'));
  expectType<CurrentRun>()(currentRun());
  expectType<StepContext>()(currentStep());
  expectType<AbortSignal>()(currentStep().signal);
  log.info({ order: 7 }, 'payment received');
  await sleep('3 days');
  await sleep(500);
  await sleepUntil(new Date());
  await sleepUntil(Date.now());
  // @ts-expect-error the length is missing
  await sleep();
  // @ts-expect-error a moment is no length
  await sleep(new Date());
  // @ts-expect-error text is no moment
  await sleepUntil('tomorrow');
  // @ts-expect-error the fields come first
  log.info('payment received', { order: 7 });
  // @ts-expect-error the facts of a run cannot be changed
  currentRun().version = 'other';
}
