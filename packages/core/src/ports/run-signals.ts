// What happens to an instance from outside.

/** A message or an event that waits for its instance. */
export interface Mail {
  readonly mailId: string;
  readonly topic: string;
  /** JSON text. */
  readonly data: string;
  /** It came from the queue of a `competing` topic: by a `seek`, each of which brings one at most; and it goes back there if it is not taken. */
  readonly isQueued: boolean;
}

/**
 * What happened to an owned instance from outside. Whoever causes one of these sets the instance's `attention` in the same
 * transaction; `claim` and `readSignals` clear it and then, with a newer view of the data, read what is there: so nothing that
 * comes in between is overlooked, and a park that would overlook it is refused.
 */
export interface RunSignals {
  readonly instanceId: string;
  /** A cancellation was requested; `reason` may be null. */
  readonly cancel: { readonly reason: string | null } | null;
  /** All mail that is there and not yet taken, oldest first, up to `mailLimit`. */
  readonly mail: readonly Mail[];
}
