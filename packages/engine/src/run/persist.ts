// Acts that must succeed because a run would be stranded otherwise: tried until the database answers.

import { kindOf } from '../store/failures.js';

/** How to go on trying. */
export interface Persistence {
  /** When true, the act is given up. */
  readonly isOver: () => boolean;
  readonly onFailure: (error: unknown) => void;
}

const firstDelayMs = 20;
const lastDelayMs = 2_000;

/**
 * Repeats `act` until it succeeds; it must be safe to repeat. Resolves to undefined when `isOver` says so.
 * Throws what will not get better by waiting.
 */
export async function persist<T>(act: () => Promise<T>, { isOver, onFailure }: Persistence): Promise<T | undefined> {
  for (let delayMs = firstDelayMs; !isOver(); delayMs = Math.min(delayMs * 2, lastDelayMs)) {
    try {
      return await act();
    } catch (error) {
      if (kindOf(error) === 'permanent') throw error;
      onFailure(error);
      await new Promise((resolve) => setTimeout(resolve, delayMs));
    }
  }
  return undefined;
}
