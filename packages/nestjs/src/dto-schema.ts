// Validation classes of class-validator as schemas of workflow inputs. Nest's own pipe does the work, so the packages behind it are
// needed by those alone who use this.

import { ValidationPipe, type ValidationError, type ValidationPipeOptions } from '@nestjs/common';
import type { StandardSchema } from 'perdure';

/** A class whose properties have the decorators of class-validator. */
export type DtoClass<T = unknown> = new (...dependencies: never[]) => T;

interface Issue {
  readonly message: string;
  readonly path: readonly string[];
}

/**
 * A schema that checks what is given to it against a class with the decorators of class-validator, and leaves it as it is, but for an
 * instance of the class, which becomes plain data: that is what a run receives. Takes the options of Nest's `ValidationPipe`, such as
 * `whitelist`.
 *
 * @example
 * export const checkoutContract = contract('checkout', { input: dtoSchema(CheckoutDto) });
 */
export function dtoSchema<T>(dto: DtoClass<T>, options: ValidationPipeOptions = {}): StandardSchema<T> {
  const pipes = new Map<boolean, ValidationPipe>();
  const validate = async (value: unknown): Promise<{ value: T } | { issues: readonly Issue[] }> => {
    const isInstance = value instanceof dto;
    // Made when it is first needed: its constructor loads the packages.
    const pipe = pipes.get(isInstance) ?? makePipe(options, isInstance);
    pipes.set(isInstance, pipe);
    try {
      return { value: (await pipe.transform(value, { type: 'body', metatype: dto })) as T };
    } catch (error) {
      if (error instanceof Faults) return { issues: error.issues };
      throw error;
    }
  };
  return { '~standard': { version: 1, vendor: 'class-validator', validate } };
}

// Nest's pipe makes plain data of an instance if it has any option of class-validator, and leaves it as it is otherwise.
function makePipe(options: ValidationPipeOptions, isForInstances: boolean): ValidationPipe {
  return new ValidationPipe({
    ...(isForInstances ? { validationError: { target: false } } : {}),
    ...options,
    transform: false,
    exceptionFactory: (errors) => new Faults(errors),
  });
}

class Faults extends Error {
  readonly issues: readonly Issue[];

  constructor(errors: readonly ValidationError[]) {
    super('the input does not fit its class');
    this.issues = errors.flatMap((error) => issuesOf(error, []));
  }
}

function issuesOf({ property, constraints = {}, children = [] }: ValidationError, above: readonly string[]): Issue[] {
  const path = [...above, property];
  const own = Object.values(constraints).map((message) => ({ message, path }));
  return [...own, ...children.flatMap((child) => issuesOf(child, path))];
}
