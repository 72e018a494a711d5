// What an application keeps about its caller, taken along with the runs that it starts: for nestjs-cls, and for an AsyncLocalStorage of
// one's own. Give one of them to the module as `context`.

import type { AsyncLocalStorage } from 'node:async_hooks';
import type { ContextCarrier } from 'perdure';

/** The part of the `ClsService` of nestjs-cls that is used. */
export interface ClsLike {
  isActive(): boolean;
  get(key: string): unknown;
  runWith<T>(store: never, work: () => T): T;
}

/**
 * Takes along what a `ClsService` of nestjs-cls holds under these keys. In workflow code, steps, replays and after a crash it holds
 * them again, and nothing else. Values are stored as JSON, in the run's attribute `context`.
 *
 * @example
 * PerdureModule.forRootAsync({
 *   inject: [ClsService],
 *   useFactory: (cls: ClsService) => ({ database: process.env.DATABASE_URL, context: carryCls(cls, ['tenant', 'user']) }),
 * })
 */
export function carryCls(cls: ClsLike, keys: readonly string[]): ContextCarrier {
  return {
    capture: () => (cls.isActive() ? picked(keys, (key) => cls.get(key)) : undefined),
    restore: (carried, work) => cls.runWith({ ...carried } as never, work),
  };
}

/**
 * Takes along these properties of what an AsyncLocalStorage holds. In workflow code, steps, replays and after a crash it holds an
 * object with them again. Values are stored as JSON, in the run's attribute `context`.
 */
export function carryStorage<Store extends object>(
  storage: AsyncLocalStorage<Store>,
  keys: readonly (keyof Store & string)[],
): ContextCarrier {
  return {
    capture: () => {
      const store = storage.getStore();
      return store === undefined ? undefined : picked(keys, (key) => Reflect.get(store, key));
    },
    restore: (carried, work) => storage.run({ ...carried } as Store, work),
  };
}

function picked(
  keys: readonly string[],
  valueOf: (key: string) => unknown,
): Readonly<Record<string, unknown>> | undefined {
  const entries = keys.map((key) => [key, valueOf(key)] as const).filter(([, value]) => value !== undefined);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}
