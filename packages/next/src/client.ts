'use client';
// The whole public surface of @perdure/next/client: what runs in browsers. It needs no Node and imports nothing of the engine but types.

export { createPerdureClient, type ClientOptions, type PerdureClient, type StartedRun } from './client/client.js';
export type { AsJson, RunTypes } from './client/run-types.js';
export { PerdureRequestError } from './client/request-error.js';
export type { Connection, RunFailure, RunState } from './client/run-state.js';
export type { RunStore } from './client/run-store.js';
export { useRun, type UseRunOptions } from './client/use-run.js';
