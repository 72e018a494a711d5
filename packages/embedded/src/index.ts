// The public surface of @perdure/embedded.

export { EmbeddedPostgresError, type EmbeddedPostgresErrorCode } from './errors.js';
export { startPostgres, type RunningPostgres, type StartPostgresOptions } from './start-postgres.js';
export type { StopMode } from './stop-server.js';
