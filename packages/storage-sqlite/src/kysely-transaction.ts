// A Kysely transaction on a connection whose transaction is opened and ended by others.
import type { Database } from 'better-sqlite3';
import {
  DefaultQueryExecutor,
  DummyDriver,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  Transaction,
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type QueryResult,
} from 'kysely';

/** @param requireOpen throws when the transaction is over. Called before every query. */
export function createKyselyTransaction<DB>(database: Database, requireOpen: () => void): Transaction<DB> {
  const dialect: Dialect = {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
  const connection = new OpenConnection(database, requireOpen);
  const executor = new DefaultQueryExecutor(dialect.createQueryCompiler(), dialect.createAdapter(), {
    provideConnection: (consumer) => consumer(connection),
  });
  return new Transaction<DB>({ config: { dialect }, dialect, driver: dialect.createDriver(), executor });
}

/** Runs Kysely's queries, one after the other as they come. */
class OpenConnection implements DatabaseConnection {
  readonly #database: Database;
  readonly #requireOpen: () => void;

  constructor(database: Database, requireOpen: () => void) {
    this.#database = database;
    this.#requireOpen = requireOpen;
  }

  async executeQuery<Row>({ sql, parameters }: CompiledQuery): Promise<QueryResult<Row>> {
    this.#requireOpen();
    const statement = this.#database.prepare<unknown[], Row>(sql);
    if (statement.reader) return { rows: statement.all(...parameters) };
    const { changes, lastInsertRowid } = statement.run(...parameters);
    return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) };
  }

  async *streamQuery<Row>({ sql, parameters }: CompiledQuery): AsyncIterableIterator<QueryResult<Row>> {
    this.#requireOpen();
    for (const row of this.#database.prepare<unknown[], Row>(sql).iterate(...parameters)) yield { rows: [row] };
  }
}
