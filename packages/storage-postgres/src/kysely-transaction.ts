// Kysely over one connection whose transaction is already open and is ended by somebody else.
import { TransactionError } from '@romancy/core/ports';
import {
  DefaultQueryExecutor,
  DummyDriver,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  SingleConnectionProvider,
  Transaction,
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type QueryResult,
} from 'kysely';
import type { PostgresClient } from './postgres-pool.js';

/**
 * A Kysely transaction that sends to the client. It has no commit and no rollback (as none has that Kysely gives to a callback), and
 * refuses to begin another.
 */
export function kyselyTransaction(client: PostgresClient): Transaction<unknown> {
  const driver = new DummyDriver();
  const dialect: Dialect = {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => driver,
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  };
  // One query at a time, in the order in which they were asked for.
  const connection = new SingleConnectionProvider(new ClientConnection(client));
  const executor = new DefaultQueryExecutor(dialect.createQueryCompiler(), dialect.createAdapter(), connection);
  return new Transaction<unknown>({ config: { dialect }, dialect, driver, executor });
}

class ClientConnection implements DatabaseConnection {
  readonly #client: PostgresClient;

  constructor(client: PostgresClient) {
    this.#client = client;
  }

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    const result = (await this.#client.query({ text: sql, values: [...parameters] })) as {
      readonly rows: R[];
      readonly command: string;
      readonly rowCount: number | null;
    };
    const changes = ['INSERT', 'UPDATE', 'DELETE', 'MERGE'].includes(result.command);
    return changes ? { rows: result.rows, numAffectedRows: BigInt(result.rowCount ?? 0) } : { rows: result.rows };
  }

  // eslint-disable-next-line require-yield -- the interface wants a generator; there is nothing to give
  async *streamQuery(): AsyncIterableIterator<never> {
    throw new TransactionError("streams are not offered in an activity's transaction; use a cursor on the raw client");
  }
}
