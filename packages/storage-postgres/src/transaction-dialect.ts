// Kysely over one connection whose transaction is already open and is ended by somebody else.
import { TransactionError } from '@romancy/core/ports';
import {
  CompiledQuery,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type DatabaseConnection,
  type Driver,
  type QueryResult,
  type Transaction,
} from 'kysely';
import type { PostgresClient } from './postgres-pool.js';

/** A Kysely transaction on the client: what it sends goes there, and nothing of it begins, commits or releases anything. */
export async function kyselyTransaction(client: PostgresClient): Promise<Transaction<unknown>> {
  const kysely = new Kysely<unknown>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => transactionDriver(client),
      createIntrospector: (db) => new PostgresIntrospector(db),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
  });
  return kysely.startTransaction().execute();
}

function transactionDriver(client: PostgresClient): Driver {
  const connection = new ClientConnection(client);
  const refuse = async (): Promise<never> => {
    throw new TransactionError("Romancy commits or undoes an activity's transaction, by whether the activity returns or throws");
  };
  return {
    init: async () => undefined,
    acquireConnection: async () => connection,
    beginTransaction: async () => undefined,
    commitTransaction: refuse,
    rollbackTransaction: refuse,
    savepoint: (on, name) => on.executeQuery(CompiledQuery.raw(`savepoint "${name}"`)).then(() => undefined),
    rollbackToSavepoint: (on, name) =>
      on.executeQuery(CompiledQuery.raw(`rollback to savepoint "${name}"`)).then(() => undefined),
    releaseSavepoint: (on, name) => on.executeQuery(CompiledQuery.raw(`release savepoint "${name}"`)).then(() => undefined),
    releaseConnection: async () => undefined,
    destroy: async () => undefined,
  };
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
