// What processes tell each other: in portions that a notification can carry, and read with care.

import { describe, expect, test } from '@jest/globals';
import { waitFor } from '@perdure/testing';
import { channelOf, Notifier, parseNews, type News } from '../../src/services/notifier.js';
import { silentLogger } from '../../src/values/logger.js';
import { deferred } from '../support/deferred.js';
import { useEngineDatabase } from '../support/test-engine.js';

const db = useEngineDatabase();

interface Bench {
  readonly notifier: Notifier;
  readonly sent: string[];
  /** What is sent meanwhile gathers. */
  readonly release: () => void;
}

/** A notifier whose first notification is under way until it is released. */
function bench(fails = false): Bench {
  const sent: string[] = [];
  const first = deferred();
  const query = async (_statement: unknown, values: readonly unknown[]): Promise<[]> => {
    sent.push(String(values[1]));
    if (sent.length === 1) await first.promise;
    if (fails) throw new Error('the connection is gone');
    return [];
  };
  return { notifier: new Notifier({ query }, 'channel', silentLogger), sent, release: () => first.resolve() };
}

function together(sent: readonly string[], part: 'ended' | 'cut'): readonly string[] {
  return sent.flatMap((payload) => (JSON.parse(payload) as News)[part] ?? []);
}

test('what is told while a notification is under way goes together with the next one', async () => {
  const { notifier, sent, release } = bench();
  notifier.tell({ due: true });

  notifier.tell({ due: true, ended: ['a'] });
  notifier.tell({ ended: ['b', 'a'], cut: ['3 c'] });
  release();
  await waitFor(() => sent.length === 2, { what: 'the second notification' });

  expect(sent.map((payload) => JSON.parse(payload) as News)).toEqual([
    { due: true },
    { due: true, ended: ['a', 'b'], cut: ['3 c'] },
  ]);
  await notifier.close();
});

test.each([
  ['short', 'order'],
  ['of the greatest length', 'ü'.repeat(500)],
  ['full of quotes', '"\\'.repeat(250)],
])('many ids that are %s go in portions, none is lost, and the server takes each', async (_kind, text) => {
  const { notifier, sent, release } = bench();
  const ids = Array.from({ length: 300 }, (_, index) => `${text} ${index}`);
  notifier.tell({ due: true });

  notifier.tell({ ended: ids, cut: ids.map((id) => `1 ${id}`) });
  release();
  await notifier.close();

  expect(together(sent, 'ended')).toEqual(ids);
  expect(together(sent, 'cut')).toEqual(ids.map((id) => `1 ${id}`));
  for (const payload of sent) await db.query(`select pg_notify('somewhere', $1)`, [payload]);
});

test('a notification that fails is lost, and the next one is sent', async () => {
  const { notifier, sent, release } = bench(true);
  notifier.tell({ ended: ['lost'] });
  notifier.tell({ ended: ['next'] });

  release();
  await waitFor(() => sent.length === 2, { what: 'the second notification' });

  expect(sent[1]).toBe('{"ended":["next"]}');
  await notifier.close();
});

test('closing sends what is left, and after it nothing is sent', async () => {
  const { notifier, sent, release } = bench();
  notifier.tell({ due: true });
  notifier.tell({ ended: ['last words'] });

  const closed = notifier.close();
  release();
  await closed;
  notifier.tell({ due: true });

  expect(sent).toEqual(['{"due":true}', '{"ended":["last words"]}']);
});

describe('a payload', () => {
  test('reads as what was told', () => {
    const news = { due: true, beat: true, ended: ['a'], cut: ['1 b'], touched: ['c'] };

    expect(parseNews(JSON.stringify(news))).toEqual(news);
  });

  test.each(['', 'hello', 'null', '7', '"due"', '[]', '{"due":"yes"}', '{"ended":"a"}', '{"ended":', '{"other":1}'])(
    'that is not ours reads as no news: %s',
    (payload) => {
      const { due, ended = [], cut = [] } = parseNews(payload);

      expect([due, ended, cut]).toEqual([undefined, [], []]);
    },
  );

  test.each([
    '{"ended":[""],"cut":[""]}',
    '{"ended":[null,{"a":1}],"cut":[7,"no epoch"]}',
    '{"cut":["x y"]}',
    'rubbish',
  ])('that an engine does not understand does it no harm: %s', async (payload) => {
    const engine = await db.launchEngine();

    await db.query(`select pg_notify($1, $2)`, [channelOf('perdure'), payload]);
    await db.query(`select pg_notify($1, '{"due":true}')`, [channelOf('perdure')]);

    await expect(engine.getHandle('nobody').result()).rejects.toMatchObject({ code: 'RUN_NOT_FOUND' });
  });
});
