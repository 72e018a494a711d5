// The public surface of @perdure/embedded.

export { EmbeddedPostgresError, type EmbeddedPostgresErrorCode } from './errors.js';
export { isProcessAlive } from './process-state.js';
export { startPostgres, stopPostgres, type RunningPostgres, type StartPostgresOptions } from './start-postgres.js';
export type { StopMode } from './stop-server.js';
