// What a storage's package hands to the suite: how to open it, look into it, and clear it away.
import type { Storage } from '../ports/index.js';
import type { ManualClock } from '../testing/index.js';

/** Rows of a user, written by the handle of an activity's transaction and read from outside of it. */
export interface TransactionProbe {
  /** Writes the row within the transaction; an existing one of that key is replaced. */
  write(handle: unknown, key: string, value: string): Promise<void>;
  /** The row as the transaction sees it. */
  readWithin(handle: unknown, key: string): Promise<string | undefined>;
  /** The row as everybody else sees it: committed. */
  read(key: string): Promise<string | undefined>;
  /**
   * Does something with the handle that the database answers with an error (an SQL error), and swallows that. Leave it out, with the
   * reason under `skip`, where there is no such thing.
   */
  fail?(handle: unknown): Promise<void>;
}

/** What cannot be shown everywhere; each name is that of the fixture's member that is needed. */
export type OptionalPart = 'transactions' | 'failInTransaction' | 'openElsewhere' | 'kill' | 'presence';

/** One empty database, for one test. */
export interface StorageFixture {
  /** A further, already opened, independent storage on the same database, as another process would have it. */
  open(): Promise<Storage>;
  /** The clock from which the storages take their time; leave it out when the database has its own. */
  readonly clock?: ManualClock;
  /** A storage that shares the server with `open`'s, but has its instances apart: another schema, another file. */
  openElsewhere?(): Promise<Storage>;
  readonly transactions?: TransactionProbe;
  /**
   * Makes the workers that were registered through this storage look as if their process had been killed, where the storage can
   * know that before their leases run out.
   */
  kill?(storage: Storage): Promise<void>;
  /** A sign of a process, as a notifier's connection leaves it in the database; gone by `end`. */
  presence?(): Promise<{ readonly presence: string; readonly end: () => Promise<void> }>;
  /** The reason for each optional part that is missing, to be shown at the tests that are skipped by it. */
  readonly skip: Readonly<Partial<Record<OptionalPart, string>>>;
  /** Called when the test is over, after all storages that `open` gave have been closed. */
  cleanup(): Promise<void>;
}

/** What a test needs of its database. */
export interface StorageNeeds {
  /** Nothing was ever opened there. Default: one that was emptied, with its tables left, is as good. */
  readonly untouched?: boolean;
}

export type StorageFixtureFactory = (needs?: StorageNeeds) => Promise<StorageFixture>;

/** How much the larger cases do. */
export interface StorageConformanceOptions {
  /** Rounds of the race between a park and a delivery. Default 300. */
  readonly parkRaces?: number;
  /** Instances over which ten claimers compete. Default 500. */
  readonly claimRaceInstances?: number;
  /** Random sequences of calls that are compared with the memory storage. Default 100. */
  readonly modelRuns?: number;
  /** The seed of all that is random. Default: another one in each run; it is shown when a test fails. */
  readonly seed?: number;
  /** Milliseconds that one case may take. Default 60,000. */
  readonly timeout?: number;
}

export type ResolvedConformanceOptions = Required<StorageConformanceOptions>;

export function resolveConformanceOptions(options: StorageConformanceOptions): ResolvedConformanceOptions {
  return {
    parkRaces: options.parkRaces ?? 300,
    claimRaceInstances: options.claimRaceInstances ?? 500,
    modelRuns: options.modelRuns ?? 100,
    seed: options.seed ?? Math.trunc(Math.random() * 0x7fffffff),
    timeout: options.timeout ?? 60_000,
  };
}
