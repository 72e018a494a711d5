import { afterEach, expect, jest, test } from '@jest/globals';
import { armCrashPoint } from '@perdure/testing/crash-child';

const kill = jest.spyOn(process, 'kill').mockReturnValue(true);
afterEach(() => {
  kill.mockClear();
});

test('a point kills at the given time, and only then', () => {
  armCrashPoint('after commit', 2);

  reach('after commit');
  reach('before commit');
  expect(kill).not.toHaveBeenCalled();
  reach('after commit');

  expect(kill.mock.calls).toEqual([[process.pid, 'SIGKILL']]);
});

test('the state that copies of the engine share stays whole', () => {
  armCrashPoint('after commit');

  expect(Object.keys(sharedState())).toEqual(['storage', 'crashPoint']);
});

function reach(point: string): void {
  const { crashPoint } = sharedState();
  if (typeof crashPoint === 'function') Reflect.apply(crashPoint, undefined, [point]);
}

function sharedState(): Record<string, unknown> {
  return Reflect.get(globalThis, Symbol.for('perdure/v1')) as Record<string, unknown>;
}
