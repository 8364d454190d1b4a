// The one place that knows which database it is: all others take a storage and a stock.
import type { Storage } from '@romancy/core';
import { createPostgresStorage } from '@romancy/storage-postgres';
import { createSqliteStorage } from '@romancy/storage-sqlite';
import { createPostgresStock } from './stock-postgres.js';
import { createSqliteStock } from './stock-sqlite.js';
import type { Stock } from './stock.js';

/** Which database; plain data, so that it can be handed to another process. */
export type DatabaseChoice =
  { readonly kind: 'sqlite'; readonly filename: string } | { readonly kind: 'postgres'; readonly url: string };

/** In PostgreSQL everything of this example lives in a schema of its own. */
export const postgresSchema = 'romancy_orders';

export function openDatabase(choice: DatabaseChoice): { readonly storage: Storage; readonly stock: Stock } {
  if (choice.kind === 'sqlite') {
    const { filename } = choice;
    return { storage: createSqliteStorage({ filename }), stock: createSqliteStock(filename) };
  }
  const { url } = choice;
  return {
    storage: createPostgresStorage({ connectionString: url, schema: postgresSchema }),
    stock: createPostgresStock(url, postgresSchema),
  };
}
