// The decorators that inject an engine, or what starts a workflow.

import { forwardRef, Inject, type ForwardReference } from '@nestjs/common';
import { PerdureError, type Startable } from 'perdure';
import { tokenOf, wishFor, type InjectedWorkflow } from './injected-workflows.js';
import { getEngineToken } from './tokens.js';

/**
 * Injects the `Engine` of perdure: for everything that a `WorkflowRef` does not do. Name it if the module has a name.
 *
 * @example
 * constructor(@InjectEngine() private readonly engine: Engine) {}
 */
export function InjectEngine(engine?: string): PropertyDecorator & ParameterDecorator {
  return Inject(getEngineToken(engine));
}

/**
 * Injects a `WorkflowRef`, which starts runs of a workflow class or of a contract, and finds them again. Between two files that import
 * each other, `forwardRef(() => CheckoutWorkflow)`. Throws OPTION_INVALID for what is no workflow.
 *
 * @example
 * constructor(@InjectWorkflow(CheckoutWorkflow) private readonly checkout: WorkflowRef<CheckoutWorkflow>) {}
 */
export function InjectWorkflow(
  workflow: Startable<never, unknown> | ForwardReference<() => Startable<never, unknown>>,
  engine?: string,
): PropertyDecorator & ParameterDecorator {
  if (workflow === undefined)
    throw new PerdureError('OPTION_INVALID', { option: 'workflow', value: workflow, reason: notYet });
  const isLate = typeof workflow === 'object' && 'forwardRef' in workflow;
  const wish: InjectedWorkflow = { find: isLate ? workflow.forwardRef : () => workflow, engine };
  const inject = Inject(isLate ? forwardRef(() => tokenOf(wish)) : tokenOf(wish));
  wishFor(wish);
  return inject;
}

const notYet =
  'files that import each other see nothing of what the other one has yet to declare, so write @InjectWorkflow(forwardRef(() => TheWorkflow))';
