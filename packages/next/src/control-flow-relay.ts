// Carries Next's control flow (`redirect()`, `notFound()`) past the protocol's handler, which answers every error with a response.

import { AsyncLocalStorage } from 'node:async_hooks';
import type { HttpOptions } from '@perdure/http';
import { isControlFlow } from 'perdure';

type Authorize = NonNullable<HttpOptions['authorize']>;

/** One per handler. */
export class ControlFlowRelay {
  readonly #requests = new AsyncLocalStorage<{ thrown?: unknown }>();

  /** `authorize`, whose control flow is kept for `relay`; for the handler it has answered. */
  watched(authorize: Authorize): Authorize {
    return async (authorization) => {
      try {
        return await authorize(authorization);
      } catch (error) {
        const request = this.#requests.getStore();
        if (request === undefined || !isControlFlow(error)) throw error;
        request.thrown = error;
        return new Response(null, { status: 500 }); // nobody gets to see it
      }
    };
  }

  /** Runs `work`, and throws what was kept meanwhile in place of its result. */
  async relay<Result>(work: () => Promise<Result>): Promise<Result> {
    const request: { thrown?: unknown } = {};
    const result = await this.#requests.run(request, work);
    if ('thrown' in request) throw request.thrown;
    return result;
  }
}
