// Writes a stream in a run, in a process that may be made to die on the way.

import { closeStream, stream, workflow, writeStream } from '../../src/index.js';
import { launchChildEngine } from '../support/child-engine.js';

const [id = ''] = process.argv.slice(2);
const tokens = stream<unknown>('tokens');
const writer = workflow('writer', async (count: number) => {
  for (let position = 0; position < count; position++) await writeStream(tokens, position);
  await closeStream(tokens);
});

const engine = await launchChildEngine({ workflows: [writer] });
await engine.startWorkflow(writer, 5, { id });
