// Lets plain Node run this repository's TypeScript without a build:
//   node --import ./scripts/typescript-loader.mjs program.ts
// Jest's global setup and the child processes of crash tests start this way. Published code never does.
import { register } from 'node:module';

register('./typescript-hooks.mjs', import.meta.url);
