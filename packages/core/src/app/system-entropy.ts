// Randomness of the system: the default of the entropy port.
import { randomUUID } from 'node:crypto';
import type { Entropy } from '../ports/entropy.js';

/** `Math.random` and random UUIDs (version 4). Numbers are good for jitter and choices, not for secrets. */
export const systemEntropy: Entropy = Object.freeze({ random: () => Math.random(), uuid: () => randomUUID() });
