import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { isProcessAlive } from '@perdure/embedded';
import { spawnProcess, waitFor } from '../src/index.js';

const echo = fileURLToPath(new URL('./programs/echo.ts', import.meta.url));
const decorated = fileURLToPath(new URL('./programs/decorated.ts', import.meta.url));
const count = fileURLToPath(new URL('./programs/count.ts', import.meta.url));
const parent = fileURLToPath(new URL('./programs/parent.ts', import.meta.url));

test('a TypeScript program gets its arguments and environment', async () => {
  const child = spawnProcess(echo, { args: ['a', 'b'], env: { COLOUR: 'red' } });

  expect(await child.message('ready')).toEqual({ type: 'ready', args: ['a', 'b'], colour: 'red' });
});

test('packages of the workspace resolve to their sources', async () => {
  const child = spawnProcess(echo);

  expect(await child.message('random')).toEqual({ type: 'random', value: 4 });
});

test('a line is answered, and the same question again finds the next answer', async () => {
  const child = spawnProcess(echo);
  await child.message('ready');

  child.send('one');
  child.send('two');

  expect(await child.line(/^heard/)).toBe('heard one');
  expect(await child.line(/^heard/)).toBe('heard two');
  expect(child.lines.slice(-2)).toEqual(['heard one', 'heard two']);
});

test('legacy decorators work', async () => {
  const child = spawnProcess(decorated);

  await child.line((line) => line === 'ran');

  expect(child.lines).toEqual(['decorated run', 'ran']);
});

test('the exit tells the code', async () => {
  const child = spawnProcess(echo);
  child.send('end');

  expect(await child.exited).toEqual({ code: 7, signal: null });
});

test('a killed child tells the signal', async () => {
  const child = spawnProcess(echo);
  await child.message('ready');

  child.kill('SIGKILL');

  expect(await child.exited).toEqual({ code: null, signal: 'SIGKILL' });
});

test('a frozen child answers only when it is thawed', async () => {
  const child = spawnProcess(echo);
  await child.message('ready');
  child.kill('SIGSTOP');
  child.send('anyone?');
  await expect(child.line(/^heard/, { timeoutMs: 100 })).rejects.toThrow('waited 100 ms');

  child.kill('SIGCONT');

  expect(await child.line(/^heard/)).toBe('heard anyone?');
});

test('a line that never comes is missed at once when the child has ended, with what it printed instead', async () => {
  const child = spawnProcess(count);

  const missed = child.message('ready');

  await expect(missed).rejects.toThrow(/no message of type "ready" from ".*count.ts": it ended with code 0/);
  await expect(missed).rejects.toThrow('before 5');
});

test('a child that fails to load says why', async () => {
  const child = spawnProcess(`${echo}.absent`);

  await expect(child.message('ready')).rejects.toThrow('Cannot find module');
});

test('a crash point kills the child when it is reached for the given time', async () => {
  const [first, third] = [{ crashAt: 'step:count' }, { crashAt: 'step:count:3' }].map((options) =>
    spawnProcess(count, options),
  );

  expect(await first?.exited).toEqual({ code: null, signal: 'SIGKILL' });
  expect(await third?.exited).toEqual({ code: null, signal: 'SIGKILL' });
  expect([first?.lines.at(-1), third?.lines.at(-1)]).toEqual(['before 1', 'before 3']);
});

test('children do not outlive the kill of their parent', async () => {
  const middle = spawnProcess(parent, { args: [echo] });
  const pid = Number((await middle.message('started'))['pid']);

  middle.kill('SIGKILL');

  const ended = waitFor(async () => !(await isProcessAlive(pid)), { what: `the orphan ${pid} to end` });
  await expect(ended).resolves.toBe(true);
});
