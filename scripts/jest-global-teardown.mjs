// Stops what jest-global-setup.mjs started, in the same process.
import { existsSync } from 'node:fs';

const source = new URL('../packages/testing/src/jest-global-teardown.ts', import.meta.url);

export default async function globalTeardown(globalConfig, projectConfig) {
  if (!existsSync(source)) return;
  const { default: tearDown } = await import(source.href);
  await tearDown(globalConfig, projectConfig);
}
