// The public surface of @perdure/testing. The entries jest-global-setup and jest-global-teardown stand beside it.

export { waitForBlockedBackend, type BlockedBackendOptions, type Queryable } from './blocked-backend.js';
export {
  connectTestClock,
  createTestEngine,
  type TestClockOptions,
  type TestEngineOptions,
} from './create-test-engine.js';
export { startDurableCluster, type DurableCluster } from './durable-cluster.js';
export { findPgBouncer, startPgBouncer, type PgBouncer } from './pgbouncer.js';
export { seededRandom, type SeededRandom } from './seeded-random.js';
export { spawnProcess, type ProcessExit, type SpawnedProcess, type SpawnOptions } from './spawn-process.js';
export type { TestClock } from './test-clock.js';
export { createTestDatabase, ensureTemplate, type TemplateRecipe, type TestDatabase } from './test-database.js';
export { StepMocks, type StepMock, type StepReference } from './step-mocks.js';
export type { MockStep, RunReference, TestEngine, TestStep } from './test-engine.js';
export { createVirtualDatabase, type VirtualDatabaseOptions } from './virtual-database.js';
export { waitFor, type WaitOptions } from './wait-for.js';
