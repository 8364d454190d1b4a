// What an activity calls to write in one transaction with its result.
import { openActivityTransaction } from '@romancy/core/ports';
import type { Database } from 'better-sqlite3';
import type { Transaction } from 'kysely';

/** One transaction in two forms; both can be used in turn. */
export interface SqliteTransaction<DB> {
  /** For queries by Kysely. */
  readonly db: Transaction<DB>;
  /**
   * The connection of this transaction, for statements of better-sqlite3 itself. Do not end the transaction on it: with COMMIT or
   * ROLLBACK the attempt fails. Savepoints are fine, and so is `database.transaction()`, which makes one.
   */
  readonly database: Database;
}

/** Tables of which nothing is known, for who gives no types of his own. */
export type AnyTables = Record<string, Record<string, unknown>>;

/**
 * The transaction of the activity that was given this `ctx`. It begins with the first call and has the write lock of the file from then
 * on: until the activity ends, nobody else writes, in this process or in another. Do what takes long before it, and no waiting for other
 * workflows inside of it. What it wrote commits together with the activity's result, or not at all.
 * @throws TransactionError when `ctx` belongs to no activity, the app runs on another storage, or the attempt is over.
 * @throws StorageUnavailableError when another process kept the write lock for too long.
 */
export async function sqliteTransaction<DB = AnyTables>(ctx: object): Promise<SqliteTransaction<DB>> {
  return (await openActivityTransaction(ctx, 'sqlite')) as SqliteTransaction<DB>;
}
