// What a run needs from the process around it.
import type { ChannelMode } from '../domain/channel.js';
import type { HistoryEntry } from '../domain/history.js';
import type { RetryPolicy } from '../domain/retry-policy.js';
import type { Wakeup } from '../domain/wakeup.js';
import type { ActivityTransactions } from '../ports/activity-transaction.js';
import type { Clock } from '../ports/clock.js';
import type { Codec } from '../ports/codec.js';
import type { Entropy } from '../ports/entropy.js';
import type { Hooks } from '../ports/hooks.js';
import type { Logger } from '../ports/logger.js';
import type { CommitNews } from '../ports/progress.js';
import type { Mail, RunSignals } from '../ports/run-signals.js';
import type { ProgressSink } from './progress.js';
import type { RunEnd } from './run-end.js';

/** The storage's clock as this process can know it. Milliseconds since 1970. */
export interface StorageTime {
  /** Not later than the storage's clock: what is due by it is due. */
  now(): number;
  /** Not earlier than the storage's clock: a wait that starts from it is not too short. */
  ahead(): number;
}

/** The user's hooks, made safe to call. */
export interface HookCaller {
  /** Whether anybody listens: events need not be made for nobody. */
  has(name: keyof Hooks): boolean;
  /** Calls the hook of that name, if there is one, and survives it. */
  call<Name extends keyof Hooks>(name: Name, event: Parameters<NonNullable<Hooks[Name]>>[0]): void;
}

/** Reads that runs make; they try again by themselves while the storage is unavailable. */
export interface RunReader {
  history(instanceId: string, afterSeq: number): Promise<readonly HistoryEntry[]>;
  mail(instanceId: string, topic: string, afterMailId: string | null): Promise<readonly Mail[]>;
  members(group: string): Promise<readonly string[]>;
  /** The mode of a channel's topic, which is the given one if it had none. */
  fixMode(topic: string, mode: ChannelMode): Promise<ChannelMode>;
  /** Reads and clears the attention of one owned instance; undefined when this worker does not own it. */
  signals(instanceId: string): Promise<RunSignals | undefined>;
}

/** Shared by all runs of one worker. */
export interface RunServices {
  readonly workerId: string;
  readonly storageKind: string;
  readonly codec: Codec;
  readonly clock: Clock;
  readonly storageTime: StorageTime;
  readonly entropy: Entropy;
  readonly logger: Logger;
  readonly hooks: HookCaller;
  readonly progress: ProgressSink;
  readonly reader: RunReader;
  readonly transactions: ActivityTransactions;
  /** Tells this process and others of what was committed in an activity's transaction. */
  readonly tell: (wakeups: readonly Wakeup[]) => void;
  /** What else the commit of such a transaction came to. */
  readonly onNews: (news: CommitNews) => void;
  /**
   * Told of the end of each run, once, and not within a call of anybody. Not by a promise of the run: hundreds of runs would each keep one, with
   * all that waits for it.
   */
  readonly onRunEnd: (instanceId: string, end: RunEnd) => void;
  /** The app's policy, for activities that set none of their own. */
  readonly retry: RetryPolicy;
  /** The largest JSON text, in bytes of UTF-8, that a value may become. */
  readonly maxPayloadBytes: number;
  /** How many pieces of mail one read brings; fewer mean that there were no more. */
  readonly mailLimit: number;
  /** How long to wait before a stalled instance is tried again, in milliseconds. */
  readonly stallRetryMs: number;
}
