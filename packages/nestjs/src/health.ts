// The engine's health in the form that Terminus takes. It needs nothing of Terminus itself.

import type { ModuleRef } from '@nestjs/core';
import type { Engine } from 'perdure';
import { getEngineToken } from './tokens.js';

/** A result of a health indicator of Terminus. */
export type PerdureHealthResult<Key extends string> = Record<
  Key,
  { readonly status: 'up' | 'down' } & Readonly<Record<string, unknown>>
>;

/**
 * A health indicator for Terminus: up if the database answers, its migrations are current and the executor's heartbeat is alive.
 *
 * @example
 * @Get() @HealthCheck()
 * check() { return this.health.check([() => this.perdure.isHealthy()]); }
 */
export class PerdureHealthIndicator {
  readonly #moduleRef: ModuleRef;

  /** @internal Provided by `PerdureModule`. */
  constructor(moduleRef: ModuleRef) {
    this.#moduleRef = moduleRef;
  }

  /** Takes five seconds at most, and never throws. */
  async isHealthy<Key extends string = 'perdure'>(
    key: Key = 'perdure' as Key,
    engineName?: string,
  ): Promise<PerdureHealthResult<Key>> {
    const engine = this.#moduleRef.get<Engine>(getEngineToken(engineName), { strict: false });
    const details = await describe(engine).catch((error: unknown) => ({ message: messageOf(error) }));
    const status = 'message' in details ? ('down' as const) : ('up' as const);
    return { [key]: { status, ...details } } as PerdureHealthResult<Key>;
  }
}

async function describe(engine: Engine): Promise<Readonly<Record<string, unknown>>> {
  const { database, latencyMs, error, schema, executor, stranded } = await engine.health();
  const { heartbeatAgeMs, leaseMs, liveRuns, isDraining } = executor;
  const facts = { latencyMs: Math.round(latencyMs), heartbeatAgeMs, liveRuns, stranded };
  if (database === 'down') return { ...facts, message: messageOf(error) };
  if (schema.migration !== schema.newestKnown)
    return { ...facts, message: `migration ${schema.migration} is applied, ${schema.newestKnown} is needed` };
  if (isDraining) return { ...facts, message: 'the engine is being closed' };
  if (heartbeatAgeMs === undefined || heartbeatAgeMs > leaseMs)
    return { ...facts, message: 'the executor gives no sign of life' };
  return facts;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
