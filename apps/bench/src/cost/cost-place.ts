// A database on which each statement, commit, round trip and byte of the log is counted.
import type { ActivityContext, Notifier, Storage } from '@romancy/core';

/** What was counted since any moment before; the difference of two is what lies between them. */
export interface CostReading {
  /** That came from outside of the database; those that its functions make of them are theirs. */
  readonly statements: number;
  /** Of transactions that wrote. */
  readonly commits: number;
  /** Null: there is no server. */
  readonly roundTrips: number | null;
  /** Of the write-ahead log. */
  readonly logBytes: number;
}

export interface CostPlace {
  readonly kind: 'postgres' | 'sqlite';
  /** The words above a column of the table. */
  readonly title: string;
  /** An empty storage, whose work is counted. */
  createStorage(label: string): Promise<Storage>;
  /** Whose work is counted too; null: there is none for it. */
  readonly createNotifier: ((label: string) => Notifier) | null;
  /** Writes a row into a table of the user within the activity's own transaction. */
  writeInTransaction(ctx: ActivityContext): Promise<void>;
  /** Resolves when nothing has been asked for `quietMs` milliseconds. */
  quiet(quietMs: number): Promise<void>;
  /** What is asked for it is not counted. */
  read(): Promise<CostReading>;
  close(): Promise<void>;
}

export function readingBetween(before: CostReading, after: CostReading): CostReading {
  return {
    statements: after.statements - before.statements,
    commits: after.commits - before.commits,
    roundTrips: after.roundTrips === null || before.roundTrips === null ? null : after.roundTrips - before.roundTrips,
    logBytes: after.logBytes - before.logBytes,
  };
}
