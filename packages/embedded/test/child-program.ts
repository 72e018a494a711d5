// Started by start-in-child.ts: gets a server, reports it, and dies without any goodbye.

import { writeSync } from 'node:fs';
import { EmbeddedPostgresError, startPostgres, type StartPostgresOptions } from '../src/index.js';

const options = JSON.parse(process.argv[2] ?? '{}') as StartPostgresOptions;
try {
  writeSync(1, JSON.stringify(await startPostgres(options)));
} catch (error) {
  if (!(error instanceof EmbeddedPostgresError)) throw error;
  writeSync(1, JSON.stringify({ code: error.code }));
}
process.kill(process.pid, 'SIGKILL');
