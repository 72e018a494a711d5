// Commits a start in a transaction of its own, in a process that hosts nothing and is killed right after.

import pg from 'pg';
import { workflow } from '../../src/index.js';
import { engineOptionsVariable, launchChildEngine } from '../support/child-engine.js';

const [id = ''] = process.argv.slice(2);
const { database } = JSON.parse(process.env[engineOptionsVariable] ?? '{}') as { database: string };
const ship = workflow('ship', async (order: string) => order);
const engine = await launchChildEngine({ workflows: [] });
const client = new pg.Client({ connectionString: database });
await client.connect();
await client.query('begin');
await engine.startWorkflow(ship, id, { id, transaction: client });
await client.query('commit');
console.log('committed');
setInterval(() => undefined, 1_000);
