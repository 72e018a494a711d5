// Hosts two runs that end at once, in one statement, when it is told so by SIGTERM.

import { workflow } from '../../src/index.js';
import { deferred } from '../support/deferred.js';
import { launchChildEngine, say } from '../support/child-engine.js';

const end = deferred();
process.once('SIGTERM', () => end.resolve());
const held = workflow('held', () => end.promise.then(() => 'held'));
const target = workflow('target', () => end.promise.then(() => 'seen'));
const engine = await launchChildEngine({ workflows: [held, target] });
await engine.startWorkflow(held, undefined, { id: 'pair-held' });
await engine.startWorkflow(target, undefined, { id: 'pair-target' });
say('started');
