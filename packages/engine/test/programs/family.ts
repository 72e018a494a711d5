// Runs three generations of runs until it is killed. Argument: the id of the eldest.

import { launchChildEngine, say } from '../support/child-engine.js';
import { familyWorkflows } from '../support/family-workflows.js';

const { parent, all } = familyWorkflows((name) => say('step', { name }));
const engine = await launchChildEngine({ workflows: all });
const run = await engine.startWorkflow(parent, undefined, { id: process.argv[2] ?? '' });
await run.result();
say('finished');
