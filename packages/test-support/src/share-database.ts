// One database for all tests of a file, each of which keeps to a schema of its own: databases are dear.
import pg from 'pg';
import { beforeAll } from 'vitest';
import { afterwards } from './afterwards.js';
import { createDatabase } from './create-database.js';
import { SchemaStock } from './schema-stock.js';

/** There from the first test of the file on. */
export interface SharedDatabase {
  readonly url: string;
  /** A superuser beside what is tested. */
  readonly client: pg.Client;
  /** Schemas, and sessions, that one test has after the other. */
  readonly schemas: SchemaStock;
}

/** Called at the top of a file. The database is dropped at its end. */
export function shareDatabase(): SharedDatabase {
  let shared: SharedDatabase | undefined;
  const there = (): SharedDatabase => {
    if (shared === undefined) throw new Error('The database is there from the first test of the file on');
    return shared;
  };
  beforeAll(async () => {
    const { url } = await createDatabase();
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    afterwards(() => client.end());
    const schemas = new SchemaStock(url, client);
    afterwards(() => schemas.end());
    shared = { url, client, schemas };
  });
  return {
    get url() {
      return there().url;
    },
    get client() {
      return there().client;
    },
    get schemas() {
      return there().schemas;
    },
  };
}
