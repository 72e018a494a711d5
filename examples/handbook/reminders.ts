// Reminders: an endpoint calls scheduleReminder, and days later the mail is sent, whatever happened to the server meanwhile.
// Here the days are a second, and the server restarts while the reminders sleep. Run: npm run reminders

import { createEngine, runStep, silentLogger, sleep, workflow, type Engine } from 'perdure';
import { withDatabase } from './database.js';

interface Reminder {
  readonly to: string;
  readonly text: string;
  readonly after: string;
}

const remind = workflow('remind', async ({ to, text, after }: Reminder) => {
  await sleep(after);
  await runStep('send mail', () => console.log(`mail to ${to}: ${text}`));
});

/** What a POST /reminders would call: it answers at once, and the reminder is safe. */
async function scheduleReminder(engine: Engine, reminder: Reminder): Promise<string> {
  const run = await engine.startWorkflow(remind, reminder);
  return run.id;
}

await withDatabase(async (database) => {
  const options = { database, workflows: [remind], parkAfter: '100ms', logger: silentLogger };

  const before = await createEngine(options).launch();
  const ids = [
    await scheduleReminder(before, { to: 'ada', text: 'your trial ends tomorrow', after: '1s' }),
    await scheduleReminder(before, { to: 'grace', text: 'your invoice is due', after: '1500ms' }),
  ];
  console.log(`${ids.length} reminders are scheduled`);
  await before.close();
  console.log('the server is restarted');

  const after = await createEngine(options).launch();
  for (const id of ids) await after.getHandle(id).result();
  console.log('all reminders are sent');
  await after.close();
});
