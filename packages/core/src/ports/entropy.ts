// Randomness, as the engine and the scheduler use it; replaced in tests.

/** Where randomness comes from. Default: the system's. */
export interface Entropy {
  /** A number from 0 up to but not including 1. */
  random(): number;
  /** A UUID, version 4 or 7. */
  uuid(): string;
}
