// The errors of the framework adapters: how an application has to be put together around them.
// One part of the error table; error-table.ts joins them.

import { listed, row } from './error-row.js';

export const frameworkErrors = {
  MIDDLEWARE_MISSING: row<{ operation: string }>({
    httpStatus: 500,
    isRetryable: false,
    what: 'A route was reached by a request that has not passed through the middleware, so no engine is known.',
    remedy: 'Call `app.use(perdure(engine))` before the routes.',
    message: ({ operation }) => `${operation} was reached by a request that has not passed through perdure(engine)`,
  }),
  HANDLER_UNLISTED: row<{ handler: string; known: readonly string[] }>({
    httpStatus: 500,
    isRetryable: false,
    what: 'A durable handler was reached that the engine does not know. Its runs would be lost to every process that restarts.',
    remedy: 'Add it to `handlers` in the options of `perdure(engine, { handlers })`.',
    message: ({ handler, known }) =>
      `the durable handler "${handler}" is not among the handlers given to perdure(engine): ${listed(known)}`,
  }),
  HANDLER_UNSUPPORTED: row<{ handler: string; reason: string }>({
    httpStatus: 500,
    isRetryable: false,
    what: 'A durable handler did what cannot be recorded, so that another process could not go on with it, or send its response again.',
    remedy: 'Change the handler as the message says, or leave this route an ordinary one.',
    message: ({ handler, reason }) => `the durable handler "${handler}" cannot be recorded: ${reason}`,
  }),
  ENGINE_NOT_BOOTED: row<{ name: string; isBuild: boolean }>({
    httpStatus: 500,
    isRetryable: false,
    what: 'The engine of a Next application was used before it was booted in this process, so nothing was done.',
    remedy:
      'Add `instrumentation.ts` beside the `app` or `pages` folder, with a `register` that awaits `perdure.boot()`, and restart the server.',
    message: ({ name, isBuild }) =>
      isBuild
        ? `the engine "${name}" was used while Next built the application: call \`await connection()\` first, so that the page is rendered per request`
        : `the engine "${name}" was not booted in this process`,
  }),
  CONTROL_FLOW_IN_RUN: row<{ call: string; thrownBy: string }>({
    httpStatus: 500,
    isRetryable: false,
    what: "A run called a framework's function that answers a request by throwing, such as Next's `redirect()`. A run has no request to answer.",
    remedy: 'Return a value, and call the function where the request is handled.',
    message: ({ call, thrownBy }) => `${thrownBy} called ${call}, which only code that handles a request can do`,
  }),
};
