// An agent that may refund an order, if a human agrees in time. The model proposes, a human decides by a message, and while nobody
// decides the run costs nothing: it may wait for days and through restarts. Run: npm run refund

import { createEngine, event, receive, runStep, setEvent, silentLogger, topic, workflow } from 'perdure';
import { withDatabase } from './database.js';

interface Request {
  readonly orderId: string;
  readonly complaint: string;
  readonly patience: string;
}

/** What the page of the support team shows. */
const proposal = event<{ readonly orderId: string; readonly cents: number; readonly reason: string }>('proposal');
/** What its two buttons send. */
const decision = topic<{ readonly approved: boolean; readonly by: string }>('decision');

const refund = workflow('refund', async ({ orderId, complaint, patience }: Request) => {
  const cents = await runStep('look up order', () => findTotal(orderId));
  const reason = await runStep('ask the model', () => askModel(complaint));
  await setEvent(proposal, { orderId, cents, reason });

  const answer = await receive(decision, { timeout: patience });
  if (answer === undefined) return `${orderId}: nobody decided in ${patience}, so it goes to the team lead`;
  if (!answer.approved) return `${orderId}: ${answer.by} says no`;
  const reference = await runStep('pay back', () => payBack(orderId, cents), { retry: { maxAttempts: 5 } });
  return `${orderId}: ${answer.by} approved, paid back with ${reference}`;
});

await withDatabase(async (database) => {
  const engine = await createEngine({ database, workflows: [refund], logger: silentLogger }).launch();
  const complaint = 'The parcel never came.';

  const [decided, refused, forgotten] = await Promise.all([
    engine.startWorkflow(refund, { orderId: 'A-1', complaint, patience: '2 days' }),
    engine.startWorkflow(refund, { orderId: 'A-2', complaint, patience: '2 days' }),
    engine.startWorkflow(refund, { orderId: 'A-3', complaint, patience: '500ms' }),
  ]);

  const shown = await engine.getEvent(decided.id, proposal);
  console.log(`proposed: ${shown?.cents} cents for ${shown?.orderId}, because ${shown?.reason}`);
  await engine.send(decided.id, decision, { approved: true, by: 'Ada' });
  await engine.send(refused.id, decision, { approved: false, by: 'Grace' });

  for (const run of [decided, refused, forgotten]) console.log(await run.result());
  await engine.close();
});

// Stands for a table, a language model and a payment service.
function findTotal(orderId: string): number {
  return orderId.length * 1_000;
}
async function askModel(complaint: string): Promise<string> {
  return `the customer writes "${complaint}"`;
}
async function payBack(orderId: string, cents: number): Promise<string> {
  return `refund-${orderId}-${cents}`;
}
