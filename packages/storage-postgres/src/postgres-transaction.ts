// What an activity calls to write in the transaction that commits together with its result.
import { openActivityTransaction } from '@romancy/core/ports';
import type { Transaction } from 'kysely';
import { storageKind } from './storage-kind.js';

/** Tables of which nothing is known: every name is taken, every value is unknown. */
export type UntypedTables = Record<string, Record<string, unknown>>;

/** The members of `pg`'s client that are usually needed. */
export interface TransactionClient {
  query<Row = Record<string, unknown>>(
    text: string,
    values?: readonly unknown[],
  ): Promise<{ readonly rows: Row[]; readonly rowCount: number | null }>;
}

export interface PostgresTransaction<DB, Client> {
  /** For Kysely. It refuses to begin another transaction; use savepoints, by the client or by Kysely's `sql`. */
  readonly db: Transaction<DB>;
  /**
   * The connection itself, for plain `pg`, Drizzle and others. It takes queries until the attempt is over, and cannot be released. An
   * activity that sends COMMIT or ROLLBACK ends up with an error, and its result is not recorded.
   */
  readonly client: Client;
}

/**
 * The transaction of this attempt of an activity: opened by the first call, the same at later ones. It is committed with the activity's
 * result when the activity returns, and undone when it throws, times out, or its worker was declared dead. Isolation level: READ
 * COMMITTED, unless the first statement says otherwise (`SET TRANSACTION ISOLATION LEVEL …`); an activity that publishes or sends needs READ COMMITTED.
 *
 * @typeParam DB the tables, as Kysely wants them.
 * @typeParam Client the client's type, such as `pg.PoolClient`.
 * @throws TransactionError when `ctx` is not an activity's, or the app runs on another kind of storage; StorageUnavailableError when
 *   no connection can be had.
 */
export async function postgresTransaction<DB = UntypedTables, Client = TransactionClient>(
  ctx: object,
): Promise<PostgresTransaction<DB, Client>> {
  return (await openActivityTransaction(ctx, storageKind)) as PostgresTransaction<DB, Client>;
}
