// The one place that knows which database it is: all others take what it answers with.
import type { RomancyOptions } from '@romancy/core';
import { createPgNotifier } from '@romancy/notify-pg';
import { createPostgresStorage } from '@romancy/storage-postgres';
import { createSqliteStorage } from '@romancy/storage-sqlite';
import { createPostgresStock } from './stock-postgres.js';
import { createSqliteStock } from './stock-sqlite.js';
import type { Stock } from './stock.js';

/** Which database; plain data, so that it can be handed to another process. */
export type DatabaseChoice =
  | { readonly kind: 'sqlite'; readonly filename: string }
  | {
      readonly kind: 'postgres';
      readonly url: string;
      /** In which everything lives: a plain name. */
      readonly schema: string;
      /** Whether processes wake each other; false: all is found by polling. */
      readonly notify: boolean;
    };

export interface OpenDatabase {
  /** What an app on this database is given. */
  readonly app: Pick<RomancyOptions, 'storage' | 'notifier' | 'listenNotify' | 'workflowPollInterval'>;
  readonly stock: Stock;
}

export function openDatabase(choice: DatabaseChoice): OpenDatabase {
  if (choice.kind === 'sqlite') {
    const { filename } = choice;
    // Settlements come in through another process, and on SQLite it is polling that finds them: a look into a file costs little.
    return {
      app: { storage: createSqliteStorage({ filename }), workflowPollInterval: '100ms' },
      stock: createSqliteStock(filename),
    };
  }
  const { url, schema, notify } = choice;
  return {
    app: {
      storage: createPostgresStorage({ connectionString: url, schema }),
      // Each process wakes the others through the database; the prefix keeps other Romancy apps in the same database out of it.
      notifier: createPgNotifier({ connectionString: url, channelPrefix: schema }),
      listenNotify: notify,
    },
    stock: createPostgresStock(url, schema),
  };
}
