// Starts a run of each workflow of replay-workflows.ts, all at once, again and again until a crash point ends this process.

import { launchChildEngine } from '../support/child-engine.js';
import { replayWorkflows } from '../support/replay-workflows.js';

const prefix = process.argv[2] ?? '';
const workflows = replayWorkflows(() => undefined);
const engine = await launchChildEngine({ workflows });
for (let round = 1; ; round++) {
  const starts = workflows.map((one) => engine.startWorkflow(one, undefined, { id: `${prefix} ${round} ${one.name}` }));
  await Promise.all((await Promise.all(starts)).map((run) => run.result()));
}
