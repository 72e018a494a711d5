// What a workflow says of itself, for adapters that route by names and describe inputs.

import type { StandardSchema } from '../values/standard-schema.js';
import { definitionOf, type Startable } from './start.js';

/** The identity of a workflow, and what its input must fit. */
export interface WorkflowDescription {
  readonly name: string;
  /** Empty when the workflow has none. */
  readonly version: string;
  readonly input: StandardSchema | undefined;
}

/**
 * Name, version and input schema of a workflow, its contract or a workflow class. Throws OPTION_INVALID for anything else.
 *
 * @example
 * const { name } = describeWorkflow(checkout);
 */
export function describeWorkflow(workflow: Startable<never, unknown>): WorkflowDescription {
  const { name, version, inputSchema } = definitionOf(workflow);
  return { name, version, input: inputSchema };
}
