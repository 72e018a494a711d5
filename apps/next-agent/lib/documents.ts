// A pipeline: a text is cut into passages, each is indexed as a run of its own in a queue, four at a time over all servers.

import { currentRun, event, runStep, runTransaction, setEvent, workflow } from 'perdure';
import { shop } from './shop';

/** How far it is. */
export const progress = event<{ readonly done: number; readonly total: number }>('progress');

export const indexDocument = workflow('index document', async ({ text }: { title: string; text: string }) => {
  const passages = await runStep('cut', () => cut(text));
  const { id } = currentRun();
  let done = 0;
  await setEvent(progress, { done, total: passages.length });
  const indexed = await Promise.all(
    passages.map(async (passage, place) => {
      const result = await indexPassage({ documentId: id, place, passage });
      done += 1;
      await setEvent(progress, { done, total: passages.length });
      return result;
    }),
  );
  return {
    passages: passages.length,
    words: indexed.reduce((sum, { words }) => sum + words, 0),
    terms: mostFrequent(indexed.flatMap(({ terms }) => terms)),
  };
});

interface Passage {
  readonly documentId: string;
  readonly place: number;
  readonly passage: string;
}

export const indexPassage = workflow(
  'index passage',
  async ({ documentId, place, passage }: Passage) => {
    const terms = await runStep('read', () => read(passage));
    const words = passage.split(/\s+/).length;
    await runTransaction('store', shop, async (client) => {
      const values = [documentId, place, words, terms];
      await client.query('insert into passages (run_id, place, words, terms) values ($1, $2, $3, $4)', values);
    });
    return { words, terms };
  },
  { queue: 'indexing' },
);

const longestPassage = 120;

function cut(text: string): string[] {
  const passages: string[] = [];
  let passage = '';
  for (const sentence of text.split(/(?<=[.!?])\s+|\n+/)) {
    if (passage !== '' && passage.length + sentence.length > longestPassage) {
      passages.push(passage);
      passage = '';
    }
    passage = `${passage} ${sentence}`.trim();
  }
  return passage === '' ? passages : [...passages, passage];
}

// Stands for an embedding model, which takes its time.
async function read(passage: string): Promise<string[]> {
  await new Promise((resolve) => setTimeout(resolve, 600));
  return (passage.toLowerCase().match(/\p{L}{6,}/gu) ?? []).slice(0, 40);
}

function mostFrequent(terms: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const term of terms) counts.set(term, (counts.get(term) ?? 0) + 1);
  return [...counts]
    .sort(([, one], [, other]) => other - one)
    .slice(0, 8)
    .map(([term]) => term);
}
