// Starts a run of each workflow of replay-workflows.ts, all at once, until a crash point ends this process.

import { launchChildEngine, say } from '../support/child-engine.js';
import { replayWorkflows } from '../support/replay-workflows.js';

const prefix = process.argv[2] ?? '';
const workflows = replayWorkflows(() => undefined);
const engine = await launchChildEngine({ workflows });
await Promise.all(workflows.map((one) => engine.startWorkflow(one, undefined, { id: `${prefix} ${one.name}` })));
say('started');
await Promise.all(workflows.map((one) => engine.getHandle(`${prefix} ${one.name}`).result()));
await engine.close();
say('finished');
