// Schemas that are used by one test after the other, emptied in between: to make one costs more than most tests do with it.
import pg from 'pg';
import { type LimitedPool, SessionStock } from './session-stock.js';

/** One schema of a shared database, for one test. */
export interface TestSchema {
  readonly name: string;
  /**
   * A further pool of connections to the database, of so many at most. It needs no end: those that are given back stay for the next test,
   * with what their sessions keep parsed and without all else.
   */
  pool(max: number): LimitedPool;
  /** Waits until all connections are back, and empties the schema, or drops it when it was to be untouched. */
  giveBack(): Promise<void>;
}

export class SchemaStock {
  readonly #client: pg.Client;
  readonly #sessions: SessionStock;
  readonly #emptied: string[] = [];
  #made = 0;

  /** @param client a superuser's, for making and emptying. */
  constructor(url: string, client: pg.Client) {
    this.#client = client;
    this.#sessions = new SessionStock(url);
  }

  /**
   * One in which there is nothing. Whether its tables are there, whoever had it before has decided: who used it for another storage would
   * find them.
   * @param options `untouched`: nobody has had it, so that there are no tables either.
   */
  take({ untouched = false }: { readonly untouched?: boolean } = {}): TestSchema {
    // A name that has to be quoted wherever it stands.
    const name = (untouched ? undefined : this.#emptied.pop()) ?? `of "tests" ${++this.#made}`;
    const pools: LimitedPool[] = [];
    const user = {};
    return {
      name,
      pool: (max) => {
        const pool = this.#sessions.pool(max, user);
        pools.push(pool);
        return pool;
      },
      giveBack: async () => {
        await Promise.all(pools.map((pool) => pool.isWhole()));
        if (untouched) await this.#client.query(`DROP SCHEMA IF EXISTS ${pg.escapeIdentifier(name)} CASCADE`);
        else {
          await this.#empty(name);
          this.#emptied.push(name);
        }
      },
    };
  }

  async end(): Promise<void> {
    await this.#sessions.end();
  }

  /**
   * As good as new: with the rows go their dead versions, what was counted of them, the plans that sessions have made for them, and what the
   * numbers had come to. A table without a page has none of that.
   */
  async #empty(schema: string): Promise<void> {
    const { rows } = await this.#client.query<{ name: string }>(
      `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
        WHERE schemaname = $1 AND tablename <> 'migrations' AND pg_relation_size(format('%I.%I', schemaname, tablename)::regclass) > 0`,
      [schema],
    );
    if (rows.length === 0) return;
    // Whoever still has a transaction open here is a fault of the test, and not to be waited for.
    await this.#client.query(
      `SET LOCAL lock_timeout = '10s'; TRUNCATE ${rows.map(({ name }) => name).join(', ')} RESTART IDENTITY`,
    );
  }
}
