// Cancels a run and its children when it is told so by SIGTERM: the arguments say which.

import { launchChildEngine, say } from '../support/child-engine.js';

const [id = ''] = process.argv.slice(2);
const engine = await launchChildEngine({ workflows: [] });
process.once('SIGTERM', () => void engine.runs.cancel(id, { children: true }));
say('started');
