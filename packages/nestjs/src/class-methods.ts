// The methods of a class, its inherited ones included.

import type { Type } from '@nestjs/common';
import type { MetadataScanner } from '@nestjs/core';
import { stepNameOf } from 'perdure';

/** A method as it is called on instances of a class. */
export interface ClassMethod {
  readonly key: string;
  readonly method: object;
}

/** Every method that an instance has. */
export function methodsOf(declared: Type<unknown>, scanner: MetadataScanner): readonly ClassMethod[] {
  const prototype = declared.prototype as object;
  return scanner.getAllMethodNames(prototype).flatMap((key) => {
    const method: unknown = Reflect.get(prototype, key);
    return typeof method === 'function' ? [{ key, method }] : [];
  });
}

/** A step that a subclass has overridden with a plain method. */
export interface LostStep {
  readonly provider: string;
  readonly method: string;
  readonly declaredBy: string;
}

/** The steps of base classes that `declared` overrides without `@Step`. */
export function findLostSteps(declared: Type<unknown>): readonly LostStep[] {
  const overrides = new Set<string>();
  const lost: LostStep[] = [];
  for (let prototype = declared.prototype as object | null; prototype !== null && prototype !== Object.prototype;) {
    for (const [key, { value }] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
      const isStep = stepNameOf(value) !== undefined;
      if (isStep && overrides.has(key))
        lost.push({ provider: declared.name, method: key, declaredBy: prototype.constructor.name });
      if (isStep) overrides.delete(key);
      else if (typeof value === 'function') overrides.add(key);
    }
    prototype = Object.getPrototypeOf(prototype) as object | null;
  }
  return lost;
}
