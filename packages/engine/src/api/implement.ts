// Code for a contract that stands apart from it.

import { callable, type WorkflowFunction } from './workflow.js';
import { definitionOf, type Startable } from './start.js';

/**
 * The workflow of a contract, or of another that it stands in for: its name, version, timeout and schema, with code of its own.
 * Throws OPTION_INVALID for what is no workflow.
 *
 * @example
 * export const checkoutContract = contract<Order, string>('checkout'); // what the API process imports
 * export const checkout = implement(checkoutContract, async (order) => ship(order)); // what the worker hosts
 */
export function implement<Input, Output>(
  of: Startable<Input, Output>,
  run: (input: Input) => Promise<Output>,
): WorkflowFunction<Input, Output> {
  const definition = { ...definitionOf(of), run: run as (input: unknown) => Promise<unknown> };
  return callable(definition) as WorkflowFunction<Input, Output>;
}
