import { expect, test } from '@jest/globals';
import { newRunId } from '../../src/values/ids.js';

// More than fit into a millisecond, and more than one portion of entropy is for.
const ids = Array.from({ length: 20_000 }, () => newRunId());

test('generated ids are UUIDv7s of their moment', () => {
  const nowMs = Date.now();

  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  const timeMs = Number.parseInt(ids[0]?.replace('-', '').slice(0, 12) ?? '', 16);
  expect(timeMs).toBeGreaterThan(nowMs - 60_000);
  expect(timeMs).toBeLessThanOrEqual(nowMs);
});

test('generated ids ascend, and no two of them share their random part', () => {
  expect(ids).toEqual(ids.toSorted());
  expect(new Set(ids.map((id) => id.slice(19))).size).toBe(ids.length);
});
