// Classes of class-validator as schemas of workflow inputs.

import { IsInt, IsString, ValidateNested } from 'class-validator';
import { Type } from 'class-transformer';
import { expect, test } from '@jest/globals';
import { validate } from 'perdure';
import { dtoSchema } from '../src/index.js';

class ItemDto {
  @IsString()
  sku!: string;
}

class OrderDto {
  @IsInt()
  cents!: number;

  @ValidateNested()
  @Type(() => ItemDto)
  item!: ItemDto;
}

test('plain data stays the value that it is', async () => {
  const order = { cents: 5, item: { sku: 'A-1' } };

  expect(await validate(dtoSchema(OrderDto), order, 'the input')).toBe(order);
});

test('an instance, as a pipe that transforms makes it of a body, becomes plain data', async () => {
  const order = Object.assign(new OrderDto(), { cents: 5, item: Object.assign(new ItemDto(), { sku: 'A-1' }) });

  const plain = await validate(dtoSchema(OrderDto), order, 'the input');

  expect(plain).toStrictEqual({ cents: 5, item: { sku: 'A-1' } });
});

test('what does not fit is told with its path', async () => {
  const wrong = Object.assign(new OrderDto(), { cents: 'five', item: { sku: 1 } });

  await expect(validate(dtoSchema(OrderDto), wrong, 'the input')).rejects.toThrow(/cents[^]*item\.sku/);
});
