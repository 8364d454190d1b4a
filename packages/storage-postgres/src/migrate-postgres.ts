// Brings the schema up to date without an app: for a deployment step with a role of its own.
import { checkServer } from './check-server.js';
import { Database } from './database.js';
import { migrate } from './migrate.js';
import { poolSource } from './pool-source.js';
import { resolveOptions, type PostgresStorageOptions } from './postgres-storage-options.js';
import { tableNames } from './table-names.js';

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/**
 * Does what opening the storage does, whatever option `migrate` says, and closes again. Can be run by several at once and any number
 * of times.
 *
 * @throws ConfigurationError, StorageUnavailableError, SchemaVersionError, or the database's error when the role may not do it.
 */
export async function migratePostgres(options: PostgresStorageOptions): Promise<void> {
  const resolved = resolveOptions(options);
  const database = new Database(poolSource(resolved), resolved.statementTimeout);
  await database.start(silent);
  try {
    await checkServer(database);
    await migrate(database, tableNames(resolved.schema), true);
  } finally {
    await database.stop();
  }
}
