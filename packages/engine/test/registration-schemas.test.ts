// Input schemas of the libraries that follow Standard Schema: checked before anything is stored.

import { expect, test } from '@jest/globals';
import { type } from 'arktype';
import * as v from 'valibot';
import { z } from 'zod';
import { contract, runStep, startWorkflow, workflow } from '../src/index.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();

const zodOrder = z.object({ sku: z.string().min(1), count: z.number().int() });
const valibotOrder = v.object({ sku: v.pipe(v.string(), v.minLength(1)), count: v.pipe(v.number(), v.integer()) });
const arktypeOrder = type({ sku: 'string >= 1', count: 'number.integer' });

const order = { zod: zodOrder, valibot: valibotOrder, arktype: arktypeOrder };

test.each(['zod', 'valibot', 'arktype'] as const)('an input that %s accepts reaches the code [64]', async (library) => {
  const buy = workflow(`buy-${library}`, async (input) => `${input.count} of ${input.sku}`, { input: order[library] });
  const engine = await db.launchEngine({ workflows: [buy] });

  const run = await engine.startWorkflow(buy, { sku: 'A-1', count: 2 });

  expect(await run.result()).toBe('2 of A-1');
});

test.each(['zod', 'valibot', 'arktype'] as const)(
  'an input that %s refuses leaves no row, and every fault is named with its path [64]',
  async (library) => {
    const name = `refuse-${library}`;
    const buy = workflow(name, async () => undefined, { input: order[library] });
    const engine = await db.launchEngine({ workflows: [buy] });

    const start = engine.startWorkflow(buy, { sku: '', count: 1.5 });

    const issue = (path: string): unknown => expect.objectContaining({ path, message: expect.any(String) });
    await expect(start).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining(`the input of workflow "${name}"`),
      details: { issues: expect.arrayContaining([issue('$.sku'), issue('$.count')]) },
    });
    expect(await db.query('select 1 from perdure.runs where workflow = $1', [name])).toEqual([]);
  },
);

test('what the schema makes of the input is stored and reaches the code: defaults, coercion, transformations [64]', async () => {
  const input = z.object({ page: z.coerce.number(), size: z.number().default(20), tag: z.string().trim() });
  const list = workflow('coerced', async (query) => query, { input });
  const engine = await db.launchEngine({ workflows: [list] });

  const run = await engine.startWorkflow(list, { page: '3', tag: '  news ' });

  expect(await run.result()).toEqual({ page: 3, size: 20, tag: 'news' });
  expect((await engine.runs.get(run.id))?.input).toEqual({ page: 3, size: 20, tag: 'news' });
});

test('a schema may check asynchronously [64]', async () => {
  const input = z.string().refine(async (name) => Promise.resolve(name !== 'taken'), 'is taken');
  const register = workflow('asynchronous', async (name) => name, { input });
  const engine = await db.launchEngine({ workflows: [register] });

  const run = await engine.startWorkflow(register, 'free');

  expect(await run.result()).toBe('free');
  await expect(engine.startWorkflow(register, 'taken')).rejects.toMatchObject({
    code: 'INPUT_INVALID',
    details: { issues: [{ path: '$', message: 'is taken' }] },
  });
});

test('dates come through the schema and storage as dates [64]', async () => {
  const input = z.object({ at: z.date(), history: z.array(z.date()) });
  const remind = workflow('dated', async ({ at, history }) => [at, ...history].every((date) => date instanceof Date), {
    input,
  });
  const engine = await db.launchEngine({ workflows: [remind] });
  const given = { at: new Date('2031-01-02T03:04:05.678Z'), history: [new Date(0)] };

  const run = await engine.startWorkflow(remind, given);

  expect(await run.result()).toBe(true);
  expect((await engine.runs.get(run.id))?.input).toEqual(given);
});

test('an error that the schema throws passes through as it is, and leaves no row [64]', async () => {
  const input = z.string().transform((): string => {
    throw new TypeError('a fault of the schema');
  });
  const broken = workflow('broken-schema', async () => undefined, { input });
  const engine = await db.launchEngine({ workflows: [broken] });

  const start = engine.startWorkflow(broken, 'x');

  await expect(start).rejects.toThrow(new TypeError('a fault of the schema'));
  expect(await db.query(`select 1 from perdure.runs where workflow = 'broken-schema'`)).toEqual([]);
});

test('a contract checks the input by its own schema, in the process that starts [64]', async () => {
  const buy = contract<{ sku: string; count: number }, string>('contract-checked', { input: zodOrder });
  const engine = await db.launchEngine();

  // @ts-expect-error the schema wants a number, as the type does
  const start = engine.startWorkflow(buy, { sku: 'A-1', count: 'many' });

  await expect(start).rejects.toMatchObject({ code: 'INPUT_INVALID', details: { issues: [{ path: '$.count' }] } });
});

test('the input of a child is checked where it is called or started, and the error can be caught there [64]', async () => {
  const child = workflow('checked-child', async (count) => count, { input: z.number() });
  const parent = workflow('checking-parent', async (count: unknown) => {
    const codes: unknown[] = [];
    const codeOf = (error: unknown): unknown => codes.push((error as { code?: unknown }).code);
    await child(count as number).catch(codeOf);
    await startWorkflow(child, count as number).catch(codeOf);
    await runStep('goes on', () => undefined);
    return codes;
  });
  const engine = await db.launchEngine({ workflows: [parent, child] });

  const run = await engine.startWorkflow(parent, 'three');

  expect(await run.result()).toEqual(['INPUT_INVALID', 'INPUT_INVALID']);
  const names = ['checked-child', 'checked-child', 'goes on'];
  expect((await engine.runs.steps(run.id)).map(({ name }) => name)).toEqual(names);
  expect(await engine.runs.get(`${run.id}/checked-child`)).toBeUndefined();
});

test('a schema is asked once per start, not when the run goes on [64]', async () => {
  let asked = 0;
  const input = z.string().transform((text) => `${text}, asked ${++asked}`);
  const once = workflow('asked-once', async (text) => `${text}; ${await runStep('step', () => 'done')}`, { input });
  const engine = await db.launchEngine({ workflows: [once] });

  const run = await engine.startWorkflow(once, 'x', { delay: 1 });

  expect(await run.result()).toBe('x, asked 1; done');
  expect(asked).toBe(1);
});
