// What all data sources have in common.

import { PerdureError, refuseUnknown, type RawQuery } from 'perdure';

/** Options of a data source. */
export interface DataSourceOptions {
  /** Whether it is the database that the engine works in. Default: true. */
  readonly isEngineDatabase?: boolean;
  /** The schema of `transaction_results`: the engine's schema there. Default: `perdure`. */
  readonly schema?: string;
}

/** Where the rows of a step's transaction go. */
export interface Place {
  readonly isEngineDatabase: boolean;
  readonly schema: string;
}

/** The options with their defaults. Throws OPTION_INVALID. */
export function placeOf(options: DataSourceOptions): Place {
  refuseUnknown(options, { isEngineDatabase: true, schema: true }, 'data sources');
  const { isEngineDatabase = true, schema = 'perdure' } = options;
  return { isEngineDatabase, schema };
}

/** The rows: the answer itself, or its part of that name. Throws TRANSACTION_UNUSABLE for an answer of another database's client. */
export function rowsOf(answer: unknown, library: string): Awaited<ReturnType<RawQuery>> {
  if (Array.isArray(answer)) return answer as Awaited<ReturnType<RawQuery>>;
  if (typeof answer === 'object' && answer !== null && 'rows' in answer && Array.isArray(answer.rows))
    return answer.rows as Awaited<ReturnType<RawQuery>>;
  throw new PerdureError('TRANSACTION_UNUSABLE', {
    reason: `${library} answered a statement without rows, so its client is not one of Postgres`,
  });
}
