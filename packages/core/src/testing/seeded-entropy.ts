// Randomness that is the same in every run of a test.
import type { Entropy } from '../ports/entropy.js';

/** The same seed gives the same numbers and UUIDs in the same order. Not for secrets. */
export function seededEntropy(seed: number): Entropy {
  // A Weyl sequence, whose steps are mixed by multiplication and shifts until neighbours have nothing in common.
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  };
  const hex = (): string => next().toString(16).padStart(8, '0');
  return {
    random: () => next() / 2 ** 32,
    uuid: () => {
      const [a, b, c, d] = [hex(), hex(), hex(), hex()];
      // Version 4, and the variant in the two high bits of the ninth byte.
      const variant = ((Number.parseInt(c[0]!, 16) & 0x3) | 0x8).toString(16);
      return `${a}-${b.slice(0, 4)}-4${b.slice(5)}-${variant}${c.slice(1, 4)}-${c.slice(4)}${d}`;
    },
  };
}
