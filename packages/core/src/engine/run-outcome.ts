// What a run makes of its instance.
import type { EndStatus } from '../domain/instance.js';

/** What the code, or a cancellation, comes to. */
export interface RunOutcome {
  readonly status: EndStatus;
  readonly output: string | null;
  readonly error: string | null;
}
