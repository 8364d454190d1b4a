// What the suite and its worker processes say to each other.

/** At which transition a process kills itself. */
export interface KillPlan {
  /** `before` it reaches the database, or `after` it took effect and before anybody in the process hears of it. */
  readonly moment: 'before' | 'after';
  /** The so-manieth transition, from 1. */
  readonly count: number;
}

/** An instance to be started (or found), given its events, and waited for. */
export interface Drive {
  readonly instanceId: string;
  readonly workflow: string;
  readonly input?: unknown;
  /** Send its events at once instead of when it asks: it may have asked in a process that is dead. */
  readonly resend?: boolean;
}

/** What a worker process is to do. Plain data. */
export interface WorkerPlan {
  readonly place: string;
  /** Names of the suite's workflows: `kind` or `kind/anything`. */
  readonly workflows: readonly string[];
  readonly leaseMs: number;
  /** Default: start and say so. `stop-during-start` and `stop-before-start`: do that instead and end. */
  readonly mode?: 'run' | 'stop-during-start' | 'stop-before-start';
  /** See `Effects.isHeir`. */
  readonly isHeir?: boolean;
  /** Begun as soon as it is started. */
  readonly drives?: readonly Drive[];
  readonly kill?: KillPlan;
  /** Instances to be started in one call: `prefix` and a number from 0. Their workflow need not be one of its own. */
  readonly startMany?: { readonly workflow: string; readonly prefix: string; readonly count: number };
}

/** Sent to a worker process. Each is answered by an {@link WorkerMessage} of kind `answer` with its number. */
export type WorkerCommand =
  | { readonly ask: number; readonly command: 'drive'; readonly drive: Drive }
  | { readonly ask: number; readonly command: 'start'; readonly drives: readonly Drive[] }
  | { readonly ask: number; readonly command: 'status' }
  /** `times` calls of stop at once; afterwards the process ends by itself. */
  | { readonly ask: number; readonly command: 'stop'; readonly timeoutMs: number; readonly times: number };

/** Said by a worker process, one a line. */
export type WorkerMessage =
  /** Its program runs, and is about to start its app. */
  | { readonly kind: 'starting' }
  | { readonly kind: 'ready'; readonly workerId: string }
  | { readonly kind: 'log'; readonly level: string; readonly message: string; readonly fields: Readonly<Record<string, unknown>> }
  /** What came of the starts of its plan: how many of each outcome. */
  | { readonly kind: 'started-many'; readonly outcomes: Readonly<Record<string, number>> }
  | { readonly kind: 'driven'; readonly instanceId: string; readonly outcome: Outcome }
  | { readonly kind: 'answer'; readonly ask: number; readonly value: unknown };

/** How an instance ended, as its handle tells. */
export type Outcome = { readonly result: unknown } | { readonly error: string };

/** One attempt of an activity, noted before its effect. Survives the process. */
export interface Note {
  readonly pid: number;
  readonly instanceId: string;
  readonly activityId: string;
  readonly attempt: number;
}
