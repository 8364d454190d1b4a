// What a storage's package hands to the engine's suite: storages for apps, and rows of a user beside them.
import type { ActivityContext, Notifier, Storage } from '../index.js';

/** Rows of a user in the same database, written by activities in their own transactions. */
export interface UserRows {
  /** Writes the row within the transaction of this activity; an existing one of that key is replaced. */
  write(ctx: ActivityContext, key: string, value: string): Promise<void>;
  /** The row as everybody sees it: committed. */
  read(key: string): Promise<string | undefined>;
  /**
   * Sends a statement in the activity's transaction that the database answers with an error, and rejects with that. Leave it out,
   * with the reason under `skip`, where there is no such thing.
   */
  fail?(ctx: ActivityContext): Promise<void>;
}

/**
 * What cannot be shown everywhere. `lostSettlement`: the answer to a settlement gets lost outside of the storage, which has been told of
 * its success. `presence`: storage and notifier have a sign by which others see that a process has died.
 */
export type EngineOptionalPart = 'rows' | 'failingStatement' | 'lostSettlement' | 'notifier' | 'cutNotifiers' | 'presence';

/** One empty database, for one test. */
export interface EngineFixture {
  /** A further storage on the database, not yet opened: each app gets one of its own, as another process would have it. */
  storage(): Storage;
  /**
   * True: storages take their time from the app's clock, and the suite lets months pass at once. False: the database has a clock of
   * its own, and the suite waits for short real times.
   */
  readonly manualTime: boolean;
  readonly rows?: UserRows;
  /** A further notifier between the apps of this test, not yet started. */
  notifier?(): Notifier;
  /** Every app of the test has a notifier, as long as it says nothing else. Default: false. */
  readonly isNotified?: boolean;
  /** Cuts the connections of all notifiers at once, and resolves when they may connect again, which they then do by themselves. */
  cutNotifiers?(): Promise<void>;
  /** The reason for each optional part that is missing, to be shown at the tests that are skipped by it. */
  readonly skip?: Readonly<Partial<Record<EngineOptionalPart, string>>>;
  /** Called when the test is over, after all apps were stopped and all storages closed. */
  cleanup(): Promise<void>;
}

export type EngineFixtureFactory = () => Promise<EngineFixture>;

/** How much the larger cases do. */
export interface EngineConformanceOptions {
  /** Entries of the longest history that is replayed. Default 10,000. */
  readonly longHistory?: number;
  /** Timers that come due in one second. Default 10,000. */
  readonly timers?: number;
  /** Every so-manieth transition is made to fail; 1: each of them. Default 1. */
  readonly faultStep?: number;
  /**
   * Leaves out what is about the engine far more than about its storage: values, determinism, retries and long histories. For a quick run
   * beside a full one. Default: nothing is left out.
   */
  readonly storageOnly?: boolean;
  /** Milliseconds that one case may take. Default 60,000. */
  readonly timeout?: number;
  /** Frees all memory that nobody can reach. Default: none; memory is then not measured. */
  readonly collectGarbage?: () => void;
}

export type ResolvedEngineOptions = Required<Omit<EngineConformanceOptions, 'collectGarbage'>> &
  Pick<EngineConformanceOptions, 'collectGarbage'>;

export function resolveEngineOptions(options: EngineConformanceOptions): ResolvedEngineOptions {
  return {
    longHistory: options.longHistory ?? 10_000,
    timers: options.timers ?? 10_000,
    faultStep: options.faultStep ?? 1,
    storageOnly: options.storageOnly ?? false,
    timeout: options.timeout ?? 60_000,
    ...(options.collectGarbage === undefined ? {} : { collectGarbage: options.collectGarbage }),
  };
}
