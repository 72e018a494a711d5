// What all data sources have in common.

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

/** The options with their defaults. */
export function placeOf({ isEngineDatabase = true, schema = 'perdure' }: DataSourceOptions): Place {
  return { isEngineDatabase, schema };
}
