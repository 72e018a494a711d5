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
};
