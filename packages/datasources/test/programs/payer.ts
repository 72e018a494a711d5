// Pays in a transactional step through the library that it is told, and dies after the commit.

import { createEngine, runTransaction, silentLogger, workflow } from 'perdure';
import { adapters } from '../support/adapters.js';

const [name = '', url = '', id = ''] = process.argv.slice(2);

await adapters[name]?.(url, async (adapter) => {
  const paying = workflow('paying', (runId: string) =>
    runTransaction('pay', adapter.source, (transaction) =>
      adapter.run(transaction, `insert into payments (run_id) values ('${runId}') returning id`),
    ),
  );
  const engine = createEngine({ database: url, lease: '1s', workflows: [paying], logger: silentLogger });
  await engine.launch();
  await engine.startWorkflow(paying, id, { id });
});
