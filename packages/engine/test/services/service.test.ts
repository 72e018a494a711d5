// The contract of every background loop: when a round begins, and that none begins after the end.

import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { Service } from '../../src/services/service.js';
import { silentLogger, type Logger } from '../../src/values/logger.js';
import { deferred } from '../support/deferred.js';

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
});
afterEach(() => {
  jest.useRealTimers();
});

interface Bench {
  readonly service: Service;
  /** How many rounds have begun. */
  readonly rounds: () => number;
  readonly lines: string[];
}

function bench(round: (count: number) => Promise<number>, retryMs?: number): Bench {
  let count = 0;
  const lines: string[] = [];
  const write = (_fields: unknown, message: string): void => void lines.push(message);
  const logger: Logger = { ...silentLogger, info: write, warn: write };
  const counted = (): Promise<number> => round((count += 1));
  const service = new Service({ name: 'test', round: counted, logger, ...(retryMs === undefined ? {} : { retryMs }) });
  return { service, rounds: () => count, lines };
}

/** Lets promises settle. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

test('no round begins before the start, and one begins at once with it', async () => {
  const { service, rounds } = bench(async () => 1_000);
  const before = rounds();

  service.start();
  await settle();

  expect([before, rounds()]).toEqual([0, 1]);
  await service.stop();
});

test('the next round begins after the wait that the last one asked for', async () => {
  const { service, rounds } = bench(async () => 1_000);
  service.start();
  await settle();

  jest.advanceTimersByTime(999);
  await settle();
  const early = rounds();
  jest.advanceTimersByTime(1);
  await settle();

  expect([early, rounds()]).toEqual([1, 2]);
  await service.stop();
});

test('started twice, it is one loop', async () => {
  const { service, rounds } = bench(async () => 1_000);

  service.start();
  service.start();
  await settle();

  expect(rounds()).toBe(1);
  await service.stop();
});

test('a poke cuts the wait short', async () => {
  const { service, rounds } = bench(async () => 60_000);
  service.start();
  await settle();

  service.poke();
  await settle();

  expect(rounds()).toBe(2);
  await service.stop();
});

test('pokes during a round cause one more round, without a wait', async () => {
  const gate = deferred();
  const { service, rounds } = bench(async (count) => {
    if (count === 1) await gate.promise;
    return 60_000;
  });
  service.start();
  await settle();

  service.poke();
  service.poke();
  gate.resolve();
  await settle();

  expect(rounds()).toBe(2);
  await service.stop();
});

test('a bound on the wait shortens it, also when it is set during the round', async () => {
  const { service, rounds } = bench(async () => 60_000);
  service.start();
  service.pokeWithin(500);
  await settle();

  jest.advanceTimersByTime(499);
  await settle();
  const early = rounds();
  jest.advanceTimersByTime(1);
  await settle();

  expect([early, rounds()]).toEqual([1, 2]);
  await service.stop();
});

test('a bound on the wait never lengthens it, and counts for one wait', async () => {
  const { service, rounds } = bench(async () => 1_000);
  service.start();
  await settle();

  service.pokeWithin(300);
  service.pokeWithin(5_000);
  jest.advanceTimersByTime(300);
  await settle();
  const bounded = rounds();
  jest.advanceTimersByTime(999);
  await settle();

  expect([bounded, rounds()]).toEqual([2, 2]);
  await service.stop();
});

test('a wait longer than a timer of Node can be does not end at once', async () => {
  const { service, rounds } = bench(async () => 2 ** 40);
  service.start();
  await settle();

  jest.advanceTimersByTime(86_400_000);
  await settle();

  expect(rounds()).toBe(1);
  await service.stop();
});

test('a failed round is repeated, and of a row of failures one is logged, and its end', async () => {
  const { service, rounds, lines } = bench(async (count) => {
    if (count <= 3) throw new Error('no database');
    return 60_000;
  }, 200);
  service.start();

  for (let i = 0; i < 3; i++) {
    await settle();
    jest.advanceTimersByTime(200);
  }
  await settle();

  expect(rounds()).toBe(4);
  expect(lines).toEqual(['a round of the service failed; trying again', 'the service goes on']);
  await service.stop();
});

test('a stop during a wait resolves without it', async () => {
  const { service, rounds } = bench(async () => 60_000);
  service.start();
  await settle();

  await service.stop();
  jest.advanceTimersByTime(120_000);
  await settle();

  expect(rounds()).toBe(1);
  expect(jest.getTimerCount()).toBe(0);
});

test('a stop during a round resolves when the round has ended, and no other begins, poked or not', async () => {
  const gate = deferred();
  const { service, rounds } = bench(async () => {
    await gate.promise;
    return 0;
  });
  service.start();
  await settle();
  const stopped = { isStopped: false };

  const stop = service.stop().then(() => (stopped.isStopped = true));
  service.poke();
  await settle();
  const early = stopped.isStopped;
  gate.resolve();
  await stop;
  await settle();

  expect(early).toBe(false);
  expect(rounds()).toBe(1);
});

test('a failure of the round that is being stopped is not logged', async () => {
  const gate = deferred();
  const { service, lines } = bench(async () => {
    await gate.promise;
    throw new Error('the connection was closed');
  });
  service.start();
  await settle();

  const stop = service.stop();
  gate.resolve();
  await stop;

  expect(lines).toEqual([]);
});

test('stopped before its start or twice, it stays stopped', async () => {
  const { service, rounds } = bench(async () => 0);

  await service.stop();
  service.start();
  await settle();
  await service.stop();

  expect(rounds()).toBe(0);
});

test('a poke after the stop does nothing', async () => {
  const { service, rounds } = bench(async () => 60_000);
  service.start();
  await settle();
  await service.stop();

  service.poke();
  service.pokeWithin(10);
  jest.advanceTimersByTime(100);
  await settle();

  expect(rounds()).toBe(1);
  expect(jest.getTimerCount()).toBe(0);
});

test('waiting for the next round is waiting for one that begins after the call, and succeeds', async () => {
  const gates = [deferred<number>(), deferred<number>(), deferred<number>()] as const;
  const round = async (count: number): Promise<number> => {
    const waitMs = (await gates.at(count - 1)?.promise) ?? 1_000;
    if (count === 2) throw new Error('no connection');
    return waitMs;
  };
  const { service, rounds } = bench(round, 0);
  service.start();
  await settle();
  const told: number[] = [];
  void service.nextRound().then(() => told.push(rounds()));

  gates[0].resolve(1_000);
  await settle();
  gates[1].resolve(1_000);
  await settle();
  jest.advanceTimersByTime(1);
  await settle();
  const early = [...told];
  gates[2].resolve(1_000);
  await settle();

  expect([early, told]).toEqual([[], [3]]);
  await service.stop();
});

test('a service that is stopped keeps nobody waiting', async () => {
  const { service } = bench(async () => 1_000);
  service.start();
  const waiting = service.nextRound();
  await service.stop();

  await waiting;
  await expect(service.nextRound()).resolves.toBeUndefined();
});
