// Acts that must succeed because a run would be stranded otherwise: tried until the database answers.

import { kindOf } from '../store/failures.js';

/** How to go on trying. */
export interface Persistence {
  /** When true, the act is given up. */
  readonly isOver: () => boolean;
  readonly onFailure: (error: unknown) => void;
  /** Goes on even where waiting is not known to help. */
  readonly isStubborn?: boolean;
}

const firstDelayMs = 20;
const lastDelayMs = 2_000;

/**
 * Repeats `act` until it succeeds; it must be safe to repeat. Resolves to undefined when `isOver` says so.
 * Throws what will not get better by waiting, unless it is stubborn.
 */
export async function persist<T>(act: () => Promise<T>, persistence: Persistence): Promise<T | undefined> {
  const { isOver, onFailure, isStubborn = false } = persistence;
  for (let delayMs = firstDelayMs; !isOver(); delayMs = Math.min(delayMs * 2, lastDelayMs)) {
    try {
      return await act();
    } catch (error) {
      if (kindOf(error) === 'permanent' && !isStubborn) throw error;
      onFailure(error);
      await new Promise((resolve) => setTimeout(resolve, delayMs));
    }
  }
  return undefined;
}
