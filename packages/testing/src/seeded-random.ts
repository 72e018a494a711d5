// Randomness that a failed test can repeat.

/** Random choices that come out the same for the same seed. */
export interface SeededRandom {
  /** From 0 up to but without 1. */
  next(): number;
  /** A whole number from `low` to `high`, both included. */
  integer(low: number, high: number): number;
  /** One of the values, of which there must be at least one. */
  pick<T>(values: readonly T[]): T;
}

/**
 * The random choices of a seed; print the seed when a test fails. Not for secrets.
 * The generator is mulberry32 (public domain, Tommy Ettinger): 32 bits of state, a period of 2^32.
 */
export function seededRandom(seed: number): SeededRandom {
  let state = seed | 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const integer = (low: number, high: number): number => low + Math.floor(next() * (high - low + 1));
  return {
    next,
    integer,
    pick: (values) => {
      const [chosen] = values.slice(integer(0, values.length - 1));
      if (chosen === undefined) throw new Error('pick needs at least one value, and none of them undefined');
      return chosen;
    },
  };
}
