// What a test can make go wrong at the transitions of a storage.

/** The calls of the storage port, by their place in it. */
export type TransitionName =
  | 'open'
  | 'close'
  | `leases.${'register' | 'upkeep' | 'retire'}`
  | `runs.${'commit' | 'claim' | 'readSignals' | 'mail' | 'history'}`
  | `instances.${'get' | 'list' | 'finished' | 'workflowsOf' | 'requestCancel' | 'history'}`
  | `messages.${'fixMode' | 'members' | 'deliver' | 'deliverAll'}`
  | `outbox.${'claim' | 'settle' | 'list' | 'requeue' | 'purge'}`
  | 'retention.purge'
  | `transactions.${'begin' | 'commit' | 'rollback'}`;

/** One call of a transition. */
export interface TransitionCall {
  readonly name: TransitionName;
  /** The so-manieth of its name, from 1. */
  readonly count: number;
  /** The so-manieth of all, from 1. */
  readonly total: number;
  /** What it was called with; undefined for calls without an argument. */
  readonly argument: unknown;
}

/** What goes wrong with one call. */
export interface Fault {
  /**
   * `before`: rejects with StorageUnavailableError, and nothing has happened. `after`: rejects likewise, but it took effect; the
   * answer is lost. Without effect on `close` and `transactions.rollback`, which never reject.
   */
  readonly fail?: 'before' | 'after';
  /** Milliseconds, by the clock of the app, before it takes effect. */
  readonly delayMs?: number;
  /** Milliseconds between the effect and its answer. */
  readonly answerDelayMs?: number;
}

/** Every member is optional; a plan without any changes nothing. */
export interface FaultPlan {
  /** Says what is to go wrong with a call; undefined: nothing. */
  readonly fault?: (call: TransitionCall) => Fault | undefined;
  /** Called, and waited for, before the transition; what it throws, the caller gets instead. */
  readonly before?: (call: TransitionCall) => void | Promise<void>;
  /** Called, and waited for, when the transition took effect, before anybody hears of it. */
  readonly after?: (call: TransitionCall) => void | Promise<void>;
}
