// Fan-out and fan-in: a run starts a child for each document, all at once, and adds up what they found. A child that has
// finished is never run again, even if the process of all of them dies half way. Run: npm run fan-out

import { createEngine, runStep, silentLogger, workflow } from 'perdure';
import { withDatabase } from './database.js';

const countWords = workflow('count words', async (text: string) =>
  runStep('count', () => text.split(/\s+/).filter((word) => word !== '').length),
);

const countAll = workflow('count all', async (texts: readonly string[]) => {
  const counts = await Promise.all(texts.map((text) => countWords(text)));
  return counts.reduce((sum, count) => sum + count, 0);
});

await withDatabase(async (database) => {
  const engine = await createEngine({ database, workflows: [countAll, countWords], logger: silentLogger }).launch();
  const texts = Array.from({ length: 50 }, (_, index) => 'word '.repeat(index + 1));

  const run = await engine.startWorkflow(countAll, texts);
  console.log(`${texts.length} documents have ${await run.result()} words`);

  const steps = await engine.runs.steps(run.id); // in the order in which the children have answered
  const children = steps.map(({ childId }) => String(childId)).sort();
  console.log(`counted by ${children.length} child runs, the first is ${children[0]?.replace(run.id, '<run>')}`);
  await engine.close();
});
