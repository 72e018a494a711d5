// An indexing pipeline: a thousand pages go into a queue at once, twenty of them are worked on at a time over all processes, and a bar shows
// how far they are. Kill it at any point (Ctrl-C, kill -9) and run it again: it goes on where it was. Run: npm run indexing [-- <book>]

import { createEngine, queue, runStep, silentLogger, workflow } from 'perdure';
import { withDatabase } from './database.js';

const book = process.argv[2] ?? 'first book';
const total = 1_000;

const indexing = queue('indexing', { concurrency: 20 });

const indexPage = workflow('index page', async (page: number) => {
  const text = await runStep('fetch', () => fetchPage(page), { retry: { maxAttempts: 5, delay: '1s', backoff: 2 } });
  return runStep('index', () => new Set(text.split(' ')).size);
});

await withDatabase(async (database) => {
  const options = { database, queues: [indexing], workflows: [indexPage], lease: '1s', logger: silentLogger };
  const engine = await createEngine(options).launch();

  // The ids are made of the book and the page, so what is there already is not started again.
  const pages = Array.from({ length: total }, (_, index) => index + 1);
  const runs = await engine.startWorkflows(
    indexPage,
    pages.map((page) => ({ input: page, id: `${book}/page-${page}`, queue: indexing })),
  );
  const started = runs.filter((run) => run.isNew).length;
  console.log(`${started} pages enqueued, ${total - started} were there before`);

  let done = 0;
  const words = await Promise.all(
    runs.map(async (run) => {
      const count = await run.result();
      showProgress(++done);
      return count;
    }),
  );
  console.log(`${book}: ${words.reduce((sum, count) => sum + count, 0)} entries in the index`);
  await engine.close();
});

/** A bar in a terminal; a line for each quarter elsewhere. */
function showProgress(done: number): void {
  const width = 40;
  const filled = Math.floor((done / total) * width);
  const bar = `[${'█'.repeat(filled)}${'·'.repeat(width - filled)}] ${done} of ${total}`;
  if (process.stdout.isTTY) process.stdout.write(`\r${bar}${done === total ? '\n' : ''}`);
  else if (done % (total / 4) === 0) console.log(`${done} of ${total}`);
}

// Stands for a request to a web server.
async function fetchPage(page: number): Promise<string> {
  await new Promise((resolve) => setTimeout(resolve, 20));
  return `page ${page} of a book, and one word of its own: word${page}`;
}
