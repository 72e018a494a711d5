// The barrier under crashes: whatever a step that was executed may have acted upon is recorded, wherever the process died.

import { expect, test } from '@jest/globals';
import { historyOf } from './support/histories.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();

interface Executing {
  readonly type: 'executing';
  readonly run: string;
  readonly step: string;
  readonly seen: readonly string[];
}

const places = ['before', 'after'].flatMap((side) => [2, 3, 4, 5, 7, 9].map((n) => `${side}:perdure_write_batch:${n}`));

test.each([...places, 'step:a2', 'step:b3', 'step:c4'])(
  'a process that dies at %s has started no step after a result that is lost [185, 186]',
  async (crashAt) => {
    const child = db.spawn('barrier-worker', { args: [crashAt], crashAt });
    expect(await child.exited).toEqual({ code: null, signal: 'SIGKILL' });

    const told = child.lines.filter((line) => /^{.*}$/.test(line)).map((line) => JSON.parse(line) as Executing);
    const executing = told.filter(({ run }) => run === crashAt); // it may have taken over runs of earlier tests

    const history = await historyOf(db, crashAt);
    const recorded = new Set(history.map(({ name }) => name));
    const lost = executing.flatMap(({ step, seen }) =>
      seen.filter((name) => !recorded.has(name)).map((name) => `${step} started after ${name}`),
    );
    expect(lost).toEqual([]);
    expect(history.map(({ seq }) => seq)).toEqual(Array.from(history.keys(), (index) => index + 1));
  },
);
