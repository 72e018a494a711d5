import { expect, test } from '@jest/globals';
import { waitFor } from '@perdure/testing';
import { Notifier } from '../../src/services/notifier.js';
import { silentLogger } from '../../src/values/logger.js';

test('news without content is not sent, and what comes after it is', async () => {
  const sent: unknown[] = [];
  const database = { query: async (_statement: unknown, values: readonly unknown[]) => (sent.push(values[1]), []) };
  const notifier = new Notifier(database, 'channel', silentLogger);

  notifier.tell({ ended: [], cut: [] });
  notifier.tell({ ended: ['order-7'] });

  await waitFor(() => sent.length > 0, { what: 'the notification' });
  await notifier.close();
  expect(sent).toEqual(['{"ended":["order-7"]}']);
});
