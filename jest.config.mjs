// Plain JavaScript: Jest's loaders for a TypeScript configuration need either TypeScript's old API, which TypeScript 7
// no longer has, or a root package that is CommonJS.
import { existsSync, readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { swcOptions } from './scripts/swc-options.mjs';

/** @returns {import('jest').Config} */
function project(displayName, rootDir) {
  return {
    displayName,
    rootDir,
    testEnvironment: 'node',
    // Packages of this repository resolve to their sources: tests need no build.
    testEnvironmentOptions: { customExportConditions: ['@perdure/source', 'node', 'node-addons'] },
    testMatch: ['<rootDir>/**/*.test.ts'],
    testPathIgnorePatterns: ['/node_modules/', '/dist/'],
    modulePathIgnorePatterns: ['/dist/'],
    extensionsToTreatAsEsm: ['.ts'],
    moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
    transform: { '^.+\\.ts$': ['@swc/jest', swcOptions] },
  };
}

function workspacesWithTests(parent) {
  if (!existsSync(parent)) return [];
  return readdirSync(parent).filter((name) => existsSync(`${parent}/${name}/test`));
}

function testFolders() {
  return ['conformance', 'crash', 'architecture', 'types', 'docs'].filter((name) => existsSync(`tests/${name}`));
}

/** @type {import('jest').Config} */
export default {
  // Counts here alone: Jest ignores it inside projects. Crash tests, which wait for takeovers, raise it themselves.
  testTimeout: 30_000,
  // More than there are cores: tests wait for databases, timers and takeovers more than they compute.
  maxWorkers: Math.ceil(availableParallelism() * 1.5),
  // Once per run of Jest, whatever the number of projects.
  globalSetup: './scripts/jest-global-setup.mjs',
  globalTeardown: './scripts/jest-global-teardown.mjs',
  projects: [
    ...workspacesWithTests('packages').map((name) => project(name, `packages/${name}`)),
    ...workspacesWithTests('apps').map((name) => project(name, `apps/${name}`)),
    ...workspacesWithTests('examples').map((name) => project(name, `examples/${name}`)),
    ...testFolders().map((name) => project(name, `tests/${name}`)),
    // Tests of an application that tests/matrix/next/matrix.ts has built, and names.
    ...(process.env.MATRIX_APPLICATION === undefined ? [] : [project('matrix', 'tests/matrix/next')]),
  ],
  coverageProvider: 'v8',
  collectCoverageFrom: ['packages/*/src/**/*.ts'],
};
