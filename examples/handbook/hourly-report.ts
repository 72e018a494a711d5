// A report of every hour: a schedule starts it once at each full hour, whichever of the servers is up, and it knows the hour that it
// stands for. Hours that nobody was there for are made up, here those of one night. Run it again: an hour that has its report gets no other.

import { createEngine, runStep, schedule, silentLogger, workflow, type Engine, type Tick } from 'perdure';
import { withDatabase } from './database.js';

const report = workflow('report', async ({ scheduledAt, input: { shop } }: Tick<{ shop: string }>) => {
  const sales = await runStep('add up sales', () => addUpSales(shop, scheduledAt));
  await runStep('send mail', () => console.log(`${inBerlin(scheduledAt)}: ${shop} sold ${sales} pieces`));
  return sales;
});

const hourly = schedule('hourly report', '0 * * * *', report, {
  timeZone: 'Europe/Berlin',
  input: { shop: 'the shop in Berlin' },
  overlap: 'queue', // one after the other, in the order of the hours
  catchUp: { max: 24 }, // after a longer outage, the last day
});

await withDatabase(async (database) => {
  const engine = await createEngine({
    database,
    schedules: [hourly],
    workflows: [report],
    logger: silentLogger,
  }).launch();

  const next = (await engine.schedules.get(hourly.name))?.nextDueAt;
  console.log(`the next report is due at minute ${next?.getMinutes()} of an hour`);

  // The clocks go forward in this night, so that one hour is missing.
  const night = { from: new Date('2026-03-28T23:00:00Z'), to: new Date('2026-03-29T03:00:00Z') };
  const ids = await engine.schedules.backfill(hourly.name, night);
  while (await isBehind(engine)) await new Promise((resolve) => setTimeout(resolve, 100));
  const sold = await Promise.all(ids.map((id) => engine.getHandle(id, report).result()));
  console.log(`${ids.length} reports of that night, ${sold.reduce((sum, each) => sum + each, 0)} pieces`);
  await engine.close();
});

/** Whether reports wait for their turn, or are under way. */
async function isBehind(engine: Engine): Promise<boolean> {
  const found = await engine.schedules.get(hourly.name);
  return found !== undefined && found.backlog.length + found.activeIds.length > 0;
}

// Stands for a query.
function addUpSales(shop: string, hour: Date): number {
  return shop.length + hour.getUTCHours();
}

function inBerlin(time: Date): string {
  return time.toLocaleTimeString('de-DE', { timeZone: 'Europe/Berlin', hour: '2-digit', minute: '2-digit' });
}
