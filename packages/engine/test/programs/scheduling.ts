// Serves the schedules that there are.

import { workflow, type Tick } from '../../src/index.js';
import { launchChildEngine } from '../support/child-engine.js';

const tock = workflow('tock', async ({ scheduledAt }: Tick) => scheduledAt);
await launchChildEngine({ workflows: [tock] });
