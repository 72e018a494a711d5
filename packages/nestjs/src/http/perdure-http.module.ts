// Mounts the protocol as a controller, so that the application's guards, prefix and versions hold for it.

import {
  All,
  ConfigurableModuleBuilder,
  Controller,
  Inject,
  Module,
  Req,
  Res,
  UseGuards,
  type DynamicModule,
  type Type,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { Engine } from 'perdure';
import { getEngineToken } from '../tokens.js';
import type { PerdureHttpExtras, PerdureHttpOptions } from './options.js';
import { PerdureHttp, type FrameworkRequest, type FrameworkResponse } from './perdure-http.js';
import { keepBodiesUnread } from './unread-bodies.js';

const optionsToken = 'PerdureHttpOptions';
const usualExtras: Required<PerdureHttpExtras> = { path: 'perdure', guards: [], engine: 'default' };

const { ConfigurableModuleClass, OPTIONS_TYPE, ASYNC_OPTIONS_TYPE } = new ConfigurableModuleBuilder<PerdureHttpOptions>(
  {
    optionsInjectionToken: optionsToken,
  },
)
  .setClassMethodName('forRoot')
  .setFactoryMethodName('createPerdureHttpOptions')
  .setExtras(usualExtras, withController)
  .build();

/** What `PerdureHttpModule.forRoot` takes. */
export type PerdureHttpRootOptions = typeof OPTIONS_TYPE;

/** What `PerdureHttpModule.forRootAsync` takes. */
export type PerdureHttpRootAsyncOptions = typeof ASYNC_OPTIONS_TYPE;

/**
 * The HTTP protocol of `@perdure/http` below a path, behind the guards of the application. Nothing is reachable that `expose` does not
 * name. `PerdureModule` has to be global, as it is by default.
 *
 * @example
 * PerdureHttpModule.forRoot({ path: 'workflows', expose: [CheckoutWorkflow], guards: [AuthGuard] })
 */
@Module({})
export class PerdureHttpModule extends ConfigurableModuleClass {
  /** The protocol, from options. Throws OPTION_INVALID, DURATION_INVALID when the application boots. */
  static override forRoot(options: PerdureHttpRootOptions): DynamicModule {
    return super.forRoot(options);
  }

  /** The same, from options that a factory, a class or a provider gives. */
  static override forRootAsync(options: PerdureHttpRootAsyncOptions): DynamicModule {
    return super.forRootAsync(options);
  }
}

function withController(definition: DynamicModule, extras: Required<PerdureHttpExtras>): DynamicModule {
  const path = extras.path.replaceAll(/^\/|\/$/g, '');
  return {
    ...definition,
    controllers: [controllerAt(path, extras)],
    providers: [
      ...(definition.providers ?? []),
      {
        provide: PerdureHttp,
        inject: [getEngineToken(extras.engine), optionsToken, HttpAdapterHost],
        useFactory: (engine: Engine, options: PerdureHttpOptions, host: HttpAdapterHost) => {
          keepBodiesUnread(host, path);
          return new PerdureHttp(engine, options, path);
        },
      },
    ],
  };
}

// Every path of the protocol by its length: the platforms write wildcards each in its own way.
const routes = [':a', ':a/:b', ':a/:b/:c', ':a/:b/:c/:d'];

// Decorated by hand: on a parameter, a decorator compiles in only one of TypeScript's two systems.
function controllerAt(path: string, { guards }: Required<PerdureHttpExtras>): Type<unknown> {
  class PerdureHttpController {
    readonly #http: PerdureHttp;

    constructor(http: PerdureHttp) {
      this.#http = http;
    }

    serve(request: FrameworkRequest, response: FrameworkResponse): Promise<void> {
      return this.#http.serve(request, response);
    }
  }
  const { prototype } = PerdureHttpController;
  Controller(path)(PerdureHttpController);
  UseGuards(...guards)(PerdureHttpController);
  Inject(PerdureHttp)(PerdureHttpController, undefined, 0);
  All(routes)(prototype, 'serve', Object.getOwnPropertyDescriptor(prototype, 'serve') ?? {});
  Req()(prototype, 'serve', 0);
  Res()(prototype, 'serve', 1);
  // @nestjs/swagger would list the wildcard; see addWorkflowPaths.
  Reflect.defineMetadata('swagger/apiExcludeController', [true], PerdureHttpController);
  return PerdureHttpController;
}
