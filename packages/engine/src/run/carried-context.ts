// What the application wants to know wherever a run goes on: tenant, user, locale. Taken along at the start, in the run's
// attributes, and put in place around its code, live, in replay and after a crash.

/** How what the application knows implicitly, as by an AsyncLocalStorage, goes along with the runs that it starts. */
export interface ContextCarrier {
  /** Called at each start, in the caller's context: what to take along, as plain JSON; undefined for nothing. */
  capture(): Readonly<Record<string, unknown>> | undefined;
  /** Runs `work` with what was taken along in place. Called around workflow code; its steps and children inherit. */
  restore<T>(carried: Readonly<Record<string, unknown>>, work: () => T): T;
}

/** The attribute that holds it. */
const attribute = 'context';

/** The attributes of a run to start, with what it takes along. The caller's own attribute of that name wins. */
export function withCarried(
  carrier: ContextCarrier | undefined,
  attributes: Readonly<Record<string, unknown>> | undefined,
): Readonly<Record<string, unknown>> | undefined {
  const carried = carrier?.capture();
  return carried === undefined ? attributes : { [attribute]: carried, ...attributes };
}

/** Runs `work` with what the run was given in place. */
export function restored<T>(
  carrier: ContextCarrier | undefined,
  attributes: Readonly<Record<string, unknown>> | undefined,
  work: () => T,
): T {
  const carried = attributes?.[attribute];
  const isCarried = typeof carried === 'object' && carried !== null && !Array.isArray(carried);
  if (carrier === undefined || !isCarried) return work();
  return carrier.restore(carried as Readonly<Record<string, unknown>>, work);
}
