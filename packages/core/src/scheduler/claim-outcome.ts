// What the finder of work tells of a claim that was answered.

/** What a claim came to. */
export interface ClaimOutcome {
  readonly claimed: readonly string[];
  /** Ids of own instances with attention that it told. */
  readonly attention: readonly string[];
  /** There was no other reason for it than `poll`, and this process had not left anything lying that it knew of. */
  readonly isPoll: boolean;
  /** A wake-up was among its reasons. */
  readonly isTold: boolean;
  /** A due time was. */
  readonly isDue: boolean;
  /** When it was sent, by the monotonic clock. */
  readonly sentAt: number;
  /**
   * The time that it has armed the timer for; null: none. `isKnownHere`: others hardly know it, or this process learned it by a claim that
   * was not in vain.
   */
  readonly next: { readonly at: number; readonly isKnownHere: boolean } | null;
}
