// Puts the storage together.
import type { Storage, StorageContext } from '@romancy/core/ports';
import { createActivityTransactions } from './activity-transactions.js';
import { checkServer } from './check-server.js';
import { Database } from './database.js';
import { createInstanceStore } from './instance-store.js';
import { createLeaseStore } from './lease-store.js';
import { migrate } from './migrate.js';
import { describePool, poolSource } from './pool-source.js';
import { resolveOptions, type PostgresStorageOptions } from './postgres-storage-options.js';
import { createMessageStore } from './message-store.js';
import { createOutboxStore } from './outbox-store.js';
import { createRetentionStore } from './retention-store.js';
import { createRunStore } from './run-store.js';
import { storageKind } from './storage-kind.js';
import { tableNames } from './table-names.js';

/** Without a presence, death shows by an expired lease alone: looking more often than leases are renewed finds nothing sooner. */
const reapIntervalMs = 10_000;

/**
 * Storage on PostgreSQL 13 to 18. Nothing is connected before the app starts. Works behind a transaction pooler such as PgBouncer.
 *
 * @throws ConfigurationError when an option is missing or out of range.
 */
export function createPostgresStorage(options: PostgresStorageOptions): Storage {
  const resolved = resolveOptions(options);
  const tables = tableNames(resolved.schema);
  const database = new Database(poolSource(resolved), resolved.statementTimeout);
  const transactions = createActivityTransactions(database, tables, resolved.maxConnections);
  return Object.freeze<Storage>({
    kind: storageKind,
    description: describePool(resolved),
    reapIntervalMs,
    leases: createLeaseStore(database, tables),
    runs: createRunStore(database, tables),
    instances: createInstanceStore(database, tables),
    messages: createMessageStore(database, tables),
    outbox: createOutboxStore(database, tables),
    retention: createRetentionStore(database, tables),
    transactions,
    sendsNotes: true,
    async open({ logger, notesOf }: StorageContext) {
      await database.start(logger, notesOf);
      try {
        await checkServer(database);
        await migrate(database, tables, resolved.migrate);
      } catch (error) {
        // Nobody closes what never opened.
        await database.stop();
        throw error;
      }
    },
    async close() {
      await transactions.close();
      await database.stop();
    },
  });
}
