// Random numbers that come out the same for the same seed: what `random()` and `uuid()` inside a run are made of, so that a
// replay sees what the first execution saw without a recorded row.

import { createHash } from 'node:crypto';

/** A stream of numbers that depends on nothing but its seed. */
export interface SeededGenerator {
  /** The next number from 0 up to but without 1, with 53 random bits. */
  readonly next: () => number;
  /** The next UUID, of version 4 in form (RFC 9562, 5.4). It is derived from the seed: unique, but no secret. */
  readonly uuid: () => string;
}

/**
 * The stream of `seed`. The generator is sfc32 of PractRand (https://pracrand.sourceforge.net/RNG_engines.txt): 128 bits of state,
 * and fast on 32-bit integers. The seed goes through SHA-256, so that similar seeds share nothing and the UUIDs of two seeds
 * collide no sooner than random ones.
 */
export function seededGenerator(seed: string): SeededGenerator {
  const draw = sfc32(createHash('sha256').update(seed).digest());
  return {
    next: () => ((draw() >>> 5) * 2 ** 26 + (draw() >>> 6)) / 2 ** 53,
    uuid: () => uuidOf([draw(), draw(), draw(), draw()]),
  };
}

function sfc32(seed: Buffer): () => number {
  let a = seed.readInt32BE(0);
  let b = seed.readInt32BE(4);
  let c = seed.readInt32BE(8);
  let counter = seed.readInt32BE(12);
  return () => {
    const result = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + result) | 0;
    return result >>> 0;
  };
}

function uuidOf(draws: readonly number[]): string {
  const hex = draws.map((draw) => draw.toString(16).padStart(8, '0')).join('');
  const variant = '89ab'[Number.parseInt(hex.charAt(16), 16) & 3];
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`;
}
