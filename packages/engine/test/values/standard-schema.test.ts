import { describe, expect, test } from '@jest/globals';
import {
  isStandardSchema,
  type SchemaInput,
  type SchemaOutput,
  type StandardIssue,
  type StandardSchema,
  validate,
} from '../../src/values/standard-schema.js';

interface Order {
  readonly amount: number;
}

/** A schema as a library would make it: accepts text, returns an order. */
const orderSchema: StandardSchema<string, Order> = {
  '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value: { amount: Number(value) } }) },
};

function failing(...issues: StandardIssue[]): StandardSchema {
  return { '~standard': { version: 1, vendor: 'test', validate: () => ({ issues }) } };
}

describe('a value that fits', () => {
  test('comes back as the schema returns it, with its type', async () => {
    const order: Order = await validate(orderSchema, '5', 'the input');

    expect(order).toEqual({ amount: 5 });
  });

  test('may be checked asynchronously, by a schema that is a function', async () => {
    const schema = Object.assign(() => undefined, {
      '~standard': { version: 1 as const, vendor: 'test', validate: async (value: unknown) => ({ value }) },
    });

    expect(await validate(schema, 1, 'the input')).toBe(1);
  });

  test('has the types of the schema', () => {
    const input: SchemaInput<typeof orderSchema> = '5';
    const output: SchemaOutput<typeof orderSchema> = { amount: 5 };

    expect([input, output]).toHaveLength(2);
  });
});

describe('a value that does not fit', () => {
  test('is refused with every issue and its path', async () => {
    const schema = failing(
      { message: 'must be positive', path: ['items', 3, { key: 'unit price' }] },
      { message: 'is unknown', path: [Symbol('s')] },
      { message: 'is wrong' },
    );

    await expect(validate(schema, {}, 'the input of workflow "checkout"')).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining(
        'the input of workflow "checkout" does not fit its schema: $.items[3]["unit price"]: must',
      ),
      details: {
        issues: [
          { path: '$.items[3]["unit price"]', pointer: '#/items/3/unit%20price', message: 'must be positive' },
          { path: '$[Symbol(s)]', message: 'is unknown' },
          { path: '$', pointer: '#', message: 'is wrong' },
        ],
      },
    });
  });

  test('points at keys with any characters', async () => {
    const schema = failing({ message: 'is wrong', path: ['a/b', '~', 'é', '\ud800'] });

    await expect(validate(schema, {}, 'the input')).rejects.toMatchObject({
      details: { issues: [{ pointer: '#/a~1b/~0/%C3%A9/%EF%BF%BD' }] },
    });
  });

  test('has five issues in the message and all of them in the details', async () => {
    const issues = Array.from({ length: 8 }, (_, index) => ({ message: 'is wrong', path: [index] }));

    await expect(validate(failing(...issues), {}, 'the input')).rejects.toMatchObject({
      message: expect.stringContaining('$[4]: is wrong; and 3 more.'),
      details: { issues: issues.map((_, index) => ({ path: `$[${index}]`, message: 'is wrong' })) },
    });
  });

  test('is an error of the schema itself if the schema throws', async () => {
    const schema: StandardSchema = {
      '~standard': { version: 1, vendor: 'test', validate: () => Promise.reject(new TypeError('no connection')) },
    };

    await expect(validate(schema, {}, 'the input')).rejects.toEqual(new TypeError('no connection'));
  });
});

test.each<[unknown, boolean]>([
  [orderSchema, true],
  [Object.assign(() => undefined, orderSchema), true],
  [{ '~standard': { version: 2, validate: () => undefined } }, false],
  [{ '~standard': { version: 1 } }, false],
  [{ '~standard': null }, false],
  [{ parse: () => undefined }, false],
  [null, false],
  ['schema', false],
])('whether %p is a schema: %p', (value, expected) => {
  expect(isStandardSchema(value)).toBe(expected);
});
