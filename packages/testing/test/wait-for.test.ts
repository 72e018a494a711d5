import { expect, test } from '@jest/globals';
import { waitFor } from '../src/index.js';

test('the first value that is there is returned', async () => {
  const values = [undefined, null, false, 0];

  expect(await waitFor(() => values.shift(), { what: 'a value' })).toBe(0);
});

test('a probe that throws is asked again', async () => {
  let calls = 0;
  const probe = (): string => {
    calls += 1;
    if (calls < 3) throw new Error('not yet');
    return 'found';
  };

  expect(await waitFor(probe, { what: 'a value' })).toBe('found');
});

test('with `until`, other values are passed over', async () => {
  let count = 0;

  expect(await waitFor(() => (count += 1), { what: 'the third', until: (seen) => seen === 3 })).toBe(3);
});

test('when the time is up, the error names what was awaited and what was seen', async () => {
  const waiting = waitFor(() => ({ status: 'queued' }), {
    what: 'run r1 to start',
    until: ({ status }) => status === 'running',
    timeoutMs: 20,
  });

  await expect(waiting).rejects.toThrow(
    "still waiting for run r1 to start after 20 ms; last seen: { status: 'queued' }",
  );
});

test('when the last look failed, its error is the cause', async () => {
  const cause = new Error('connection refused');
  const waiting = waitFor(() => Promise.reject(cause), { what: 'the server', timeoutMs: 20 });

  await expect(waiting).rejects.toMatchObject({ cause });
});
