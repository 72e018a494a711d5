// What the HTTP module is configured with.

import type { CanActivate, Type } from '@nestjs/common';
import type { HttpOptions } from '@perdure/http';

/** Options of `PerdureHttpModule`: those of the protocol, and who a request is from. */
export interface PerdureHttpOptions extends Omit<HttpOptions, 'basePath'> {
  /**
   * Who sends a request, of the framework's own request after the guards have seen it: keys of different principals are different
   * keys, and `authorize` is told. Default: nobody.
   *
   * @example
   * principal: (request: { user?: { id: string } }) => request.user?.id
   */
  readonly principal?: (request: never) => string | undefined;
}

/** What has to be known before the options are. */
export interface PerdureHttpExtras {
  /** The path of the controller, below the application's prefix. Default: `perdure`. */
  readonly path?: string;
  /** Guards of this controller, besides those of the whole application. Default: none. */
  readonly guards?: readonly Type<CanActivate>[];
  /** The name of the engine that is served. Default: the one without a name. */
  readonly engine?: string;
}

/** For `forRootAsync({ useClass })` and `useExisting`. */
export interface PerdureHttpOptionsFactory {
  createPerdureHttpOptions(): PerdureHttpOptions | Promise<PerdureHttpOptions>;
}
