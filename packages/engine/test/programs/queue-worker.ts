// Works on a queue and writes down, by the clock of the database, when each run began and when it ended. A row without an
// end is one whose process was killed.

import pg from 'pg';
import { currentRun, runStep, workflow } from '../../src/index.js';
import { launchChildEngine, say } from '../support/child-engine.js';

const pool = new pg.Pool({
  connectionString: process.env['EFFECTS_URL'],
  options: '-c synchronous_commit=off',
  max: 8,
});
pool.on('error', () => undefined);

const measured = workflow('measured', (key: string) =>
  runStep('effect', async () => {
    const { rows } = await pool.query<{ effect: number }>(
      'insert into effects (run_id, key, pid) values ($1, $2, $3) returning effect',
      [currentRun().id, key, process.pid],
    );
    await new Promise((resolve) => setTimeout(resolve, 3));
    await pool.query('update effects set ended_at = clock_timestamp() where effect = $1', [rows[0]?.effect]);
  }),
);

await launchChildEngine({ workflows: [measured] });
say('launched');
