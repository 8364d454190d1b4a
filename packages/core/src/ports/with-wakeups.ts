// What transitions yield besides their answers.
import type { Wakeup } from '../domain/wakeup.js';

/** What a transition in another part of the port yields besides its answer. */
export interface WithWakeups {
  /** To be handed to the scheduler of this process and, after the commit, to others. */
  readonly wakeups: readonly Wakeup[];
}
