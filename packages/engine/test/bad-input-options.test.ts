import { describe, expect, test } from '@jest/globals';
import { createEngine, queue, silentLogger, workflow, type EngineOptions, type LogFields } from '../src/index.js';
import { perdureErrorOf } from './support/perdure-error-of.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();

// What a program without types may pass.
function untyped(options: Readonly<Record<string, unknown>>): Partial<EngineOptions> {
  return options;
}

describe('a configuration with faults', () => {
  test('is CONFIG_INVALID with all of them at once, and nothing is started', async () => {
    const engine = db.createEngine({
      database: 'mysql://root@db/app',
      directDatabase: 'sqlite:memory',
      schema: '',
      lease: '499ms',
      parkAfter: '-1s',
      pollInterval: 'often',
      maxConcurrentRuns: 0,
      maxRecoveries: -1,
      maxPayloadBytes: 1.5,
      poolSize: NaN,
    });

    const error = await perdureErrorOf(engine.launch(), 'CONFIG_INVALID');

    const faults = error.details['faults'] as string[];
    expect(faults).toHaveLength(10);
    const options = ['database', 'directDatabase', 'schema', 'lease', 'parkAfter', 'pollInterval'];
    for (const option of [...options, 'maxConcurrentRuns', 'maxRecoveries', 'maxPayloadBytes', 'poolSize'])
      expect(faults.filter((fault) => new RegExp(`\\b${option}\\b`).test(fault))).toHaveLength(1);
    expect(await db.query('select id from perdure.executors')).toEqual([]);
  });

  test.each([
    ['no database', { database: undefined }],
    ['a database that is null', { database: null }],
    ['a database that is a number', { database: 5432 }],
    ['an empty database', { database: '' }],
    ['a URL that cannot be parsed', { database: 'postgres://app:pass word@host:port/app' }],
    ['a way around the pooler that is null', { directDatabase: null }],
    ['a lease of nothing', { lease: 0 }],
    ['a lease that no timer can measure', { lease: '6 days' }],
    ['a count that Postgres cannot hold', { maxRecoveries: 2 ** 31 }],
    ['an interval of 0', { pollInterval: 0 }],
    ['an interval without a unit', { pollInterval: '10' }],
    ['a count that is text', { maxConcurrentRuns: '10' }],
    ['a count that is infinite', { poolSize: Infinity }],
    ['a payload limit of 0', { maxPayloadBytes: 0 }],
    ['a schema that is a number', { schema: 7 }],
    ['a schema with a null character', { schema: 'a\u0000b' }],
    ['a schema that Postgres would cut short', { schema: 'ä'.repeat(32) }],
    ['a logger that cannot log', { logger: { info: () => undefined } }],
  ])('is CONFIG_INVALID with one fault: %s', async (_, options) => {
    const engine = db.createEngine(untyped(options));

    const error = await perdureErrorOf(engine.launch(), 'CONFIG_INVALID');

    expect(error.details['faults']).toEqual([
      expect.stringMatching(/^(OPTION|DURATION|NAME)_INVALID: .*\. [A-Z].*\.$/),
    ]);
    expect(error.message).toContain(Object.keys(options)[0]);
  });

  test('does not show the password of a URL that cannot be parsed', async () => {
    const engine = db.createEngine({ database: 'postgres://app:s3cret@host:port/app' });

    const error = await perdureErrorOf(engine.launch(), 'CONFIG_INVALID');

    expect(`${error.stack} ${JSON.stringify(error)}`).not.toContain('s3cret');
  });

  test('stays a fault at the next launch', async () => {
    const engine = db.createEngine({ schema: '' });
    await perdureErrorOf(engine.launch(), 'CONFIG_INVALID');

    await perdureErrorOf(engine.launch(), 'CONFIG_INVALID');
  });
});

test.each(['workflows', 'steps'])('%s that are no list are refused', async (option) => {
  await perdureErrorOf(
    () => db.createEngine(untyped({ [option]: workflow('charge', async () => 1) })),
    'OPTION_INVALID',
  );
});

test.each([
  ['schedules', queue('mail')],
  ['queues', queue('mail')],
])('%s that are no list are CONFIG_INVALID', async (option, value) => {
  const error = await perdureErrorOf(db.createEngine(untyped({ [option]: value })).launch(), 'CONFIG_INVALID');

  expect(error.message).toMatch(new RegExp(`OPTION_INVALID: option ${option} cannot be .*give a list`));
});

test('two workflows of one name and version are WORKFLOW_DUPLICATE, of two versions are none', async () => {
  const first = workflow('twice', async () => 1);
  const second = workflow('twice', async () => 2);
  const newer = workflow('twice', async () => 2, { version: '2' });

  const error = await perdureErrorOf(() => db.createEngine({ workflows: [first, second] }), 'WORKFLOW_DUPLICATE');
  const engine = await db.launchEngine({ workflows: [first, newer, first] });

  expect(error.details).toEqual({ workflow: 'twice' });
  expect(await (await engine.startWorkflow(newer)).result()).toBe(2);
});

describe('a legal configuration', () => {
  test('with an option that does not exist is warned about', async () => {
    const warnings: unknown[] = [];
    const logger = { ...silentLogger, warn: (fields: LogFields, message: string) => warnings.push([fields, message]) };

    await db.launchEngine({ ...untyped({ workflow: [], queus: [] }), logger });

    const message = 'engines have no such option, so it has no effect';
    expect(warnings).toEqual([
      [{ option: 'workflow' }, message],
      [{ option: 'queus' }, message],
    ]);
  });

  test('may name the parts of the connection', async () => {
    const { hostname, port, username, pathname } = new URL(db.url);
    const echo = workflow('echo', async (text: string) => text);
    const parts = {
      host: hostname,
      port: Number(port),
      user: decodeURIComponent(username),
      database: pathname.slice(1),
    };
    const engine = await db.launchEngine({ workflows: [echo], database: parts });

    const run = await engine.startWorkflow(echo, 'heard');

    expect(await run.result()).toBe('heard');
  });

  test('may be as small as it gets: one run at a time, one connection, no delay, no recovery', async () => {
    const echo = workflow('echo', async (text: string) => text);
    const smallest = { lease: 500, parkAfter: 0, pollInterval: 10, maxConcurrentRuns: 1, maxRecoveries: 0 };
    const engine = await db.launchEngine({ workflows: [echo], ...smallest, poolSize: 1, maxPayloadBytes: 1_024 });

    const runs = await Promise.all(['a', 'b', 'c'].map((text) => engine.startWorkflow(echo, text)));

    expect(await Promise.all(runs.map((run) => run.result()))).toEqual(['a', 'b', 'c']);
  });

  test('is not read before the launch', () => {
    expect(() => createEngine({ database: '' })).not.toThrow();
  });
});
