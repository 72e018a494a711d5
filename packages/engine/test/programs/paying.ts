// Pays in a transactional step, in a process that may be made to die after its commit.

import pg from 'pg';
import { pgSource, runTransaction, workflow } from '../../src/index.js';
import { engineOptionsVariable, launchChildEngine } from '../support/child-engine.js';

const [id = ''] = process.argv.slice(2);
const { database } = JSON.parse(process.env[engineOptionsVariable] ?? '{}') as { database: string };
const ledger = pgSource<pg.PoolClient>(new pg.Pool({ connectionString: database }));
const paying = workflow('paying', (run: string) =>
  runTransaction('pay', ledger, async (client: pg.PoolClient) => {
    const { rows } = await client.query<{ id: number }>('insert into payments (run_id) values ($1) returning id', [
      run,
    ]);
    return rows[0]?.id;
  }),
);

const engine = await launchChildEngine({ workflows: [paying] });
await engine.startWorkflow(paying, id, { id });
