// What an application gives to `definePerdure`.

import type { Duration, EngineOptions } from 'perdure';

/** Options of an engine in a Next application. */
export interface NextOptions extends EngineOptions {
  /** Tells apart several engines of one process. Default: `default`. */
  readonly name?: string | undefined;
  /** How long executing steps may take to end after SIGTERM or SIGINT; then their runs are handed over. Default: 20s. */
  readonly shutdownTimeout?: Duration | undefined;
}
