import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { consoleLogger, type LogLevel, silentLogger } from '../../src/values/logger.js';

const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];
let lines: string[];

beforeEach(() => {
  lines = [];
  for (const level of levels)
    jest.spyOn(console, level).mockImplementation((line) => void lines.push(`${level} ${line}`));
});

afterEach(() => {
  jest.restoreAllMocks();
  delete process.env['PERDURE_LOG_LEVEL'];
});

function logAtEveryLevel(options: Parameters<typeof consoleLogger>[0]): string[] {
  const logger = consoleLogger(options);
  for (const level of levels) logger[level]({}, 'text');
  return lines.map((line) => line.split(' ')[0] ?? '');
}

/** The one line that was written, as JSON. */
function json(): Record<string, unknown> {
  expect(lines).toHaveLength(1);
  return JSON.parse(lines[0]?.replace(/^\w+ /, '') ?? '') as Record<string, unknown>;
}

describe('the level', () => {
  test('is info by default', () => {
    expect(logAtEveryLevel({})).toEqual(['info', 'warn', 'error']);
  });

  test('comes from the environment', () => {
    process.env['PERDURE_LOG_LEVEL'] = 'error';

    expect(logAtEveryLevel({})).toEqual(['error']);
  });

  test('of the option wins over the environment', () => {
    process.env['PERDURE_LOG_LEVEL'] = 'error';

    expect(logAtEveryLevel({ level: 'debug' })).toEqual(levels);
  });

  test('may be silent', () => {
    expect(logAtEveryLevel({ level: 'silent' })).toEqual([]);
  });

  test('must be one of the list', () => {
    process.env['PERDURE_LOG_LEVEL'] = 'verbose';

    expect(() => consoleLogger()).toThrow(
      'OPTION_INVALID: option PERDURE_LOG_LEVEL cannot be "verbose": it must be debug, info',
    );
    expect(() => consoleLogger({ level: 'trace' as LogLevel })).toThrow('option level cannot be "trace"');
  });
});

describe('a line of JSON', () => {
  const logger = () => consoleLogger({ level: 'debug', pretty: false });

  test('has time, level, message and fields', () => {
    logger().info({ runId: 'order-7', attempt: 2 }, 'run started');

    expect(json()).toEqual({
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      level: 'info',
      message: 'run started',
      runId: 'order-7',
      attempt: 2,
    });
  });

  test('has an error with its properties and causes [172]', () => {
    const cause = Object.assign(new TypeError('reset'), { code: 'ECONNRESET' });
    logger().error({ err: new Error('failed', { cause }) }, 'step failed');

    expect(json()['err']).toMatchObject({
      name: 'Error',
      message: 'failed',
      stack: expect.stringContaining('logger.test'),
      cause: { name: 'TypeError', message: 'reset', code: 'ECONNRESET' },
    });
  });

  test('is written whatever the fields are', () => {
    const cycle: Record<string, unknown> = { big: 1n };
    logger().warn({ big: 1n, none: undefined }, 'first');
    cycle['self'] = cycle;
    logger().warn({ cycle }, 'second');

    expect(lines[0]).toContain('"message":"first","big":"1"}');
    expect(lines[1]).toContain('"message":"second","fields":"{ cycle: <ref *1> { big: 1n, self: [Circular *1] } }"}');
  });
});

describe('a pretty line', () => {
  const logger = () => consoleLogger({ level: 'debug', pretty: true });

  test('has the time, the level, the message and the fields', () => {
    logger().info({ runId: 'order-7', name: 'two words', list: [1], none: undefined }, 'run started');

    expect(lines[0]).toMatch(
      /^info \d\d:\d\d:\d\d\.\d{3} INFO {2}run started runId=order-7 name="two words" list=\[1\] none=undefined$/,
    );
  });

  test('is followed by the error, its stack and its causes', () => {
    logger().error({ err: new Error('failed', { cause: new TypeError('reset') }) }, 'step failed');

    expect(lines[0]).toMatch(
      /ERROR step failed\n {4}Error: failed\n {8}at .*\n(.*\n)* {4}caused by: TypeError: reset\n {8}at /,
    );
  });

  test('shows a thrown value that is no error', () => {
    logger().error({ err: { code: 7 } }, 'step failed');

    expect(lines[0]).toMatch(/step failed\n {4}\{"code":7\}$/);
  });

  test('ends a chain of causes that leads back', () => {
    const error = new Error('outer');
    error.cause = new Error('inner', { cause: error });
    logger().error({ err: error }, 'step failed');

    expect(lines[0]?.match(/caused by/g)).toHaveLength(10);
  });
});

test('the silent logger writes nothing', () => {
  for (const level of levels) silentLogger[level]({}, 'text');

  expect(lines).toEqual([]);
});
