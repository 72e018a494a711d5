// Starts what all tests share (one Postgres cluster), once per run of Jest. The code is @perdure/testing's; this file
// only makes its TypeScript loadable, since Jest compiles a global setup without the module resolution of the tests.
import { existsSync } from 'node:fs';
import './typescript-loader.mjs';

const source = new URL('../packages/testing/src/jest-global-setup.ts', import.meta.url);

export default async function globalSetup(globalConfig, projectConfig) {
  if (!existsSync(source)) return;
  // Child processes of tests load TypeScript the same way.
  process.env.PERDURE_TEST_LOADER ??= new URL('./typescript-loader.mjs', import.meta.url).href;
  const { default: setUp } = await import(source.href);
  await setUp(globalConfig, projectConfig);
}
