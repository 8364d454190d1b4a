// Puts the parts of the storage together.
import type { Storage } from '@romancy/core/ports';
import { ActivityTransactions } from './activity-transactions.js';
import { createInstanceStore } from './instance-store.js';
import { createLeaseStore } from './lease-store.js';
import { LocalLeases } from './local-leases.js';
import { createMessageStore } from './message-store.js';
import { createOutboxStore } from './outbox-store.js';
import { createRetentionStore } from './retention-store.js';
import { createRunStore } from './run-store.js';
import { SqliteFile } from './sqlite-file.js';
import { checkOptions, type SqliteStorageOptions } from './sqlite-storage-options.js';

/** Two looks for dead processes of this machine within the second in which others may take over from them. */
const reapIntervalMs = 750;

/**
 * Keeps everything in one SQLite file. Several processes of one machine can work on the same file; there is no notifier for it, so that
 * they find each other's work by polling.
 * @throws ConfigurationError that names the option.
 */
export function createSqliteStorage(options: SqliteStorageOptions): Storage {
  const file = new SqliteFile(checkOptions(options));
  const leases = new LocalLeases();
  const transactions = new ActivityTransactions(file, leases);
  return {
    kind: 'sqlite',
    description: file.description,
    reapIntervalMs,
    leases: createLeaseStore(file, { transactions, leases }),
    runs: createRunStore(file),
    instances: createInstanceStore(file),
    messages: createMessageStore(file),
    outbox: createOutboxStore(file),
    retention: createRetentionStore(file),
    transactions,
    open: (context) => file.open(context),
    close: () => file.close(() => transactions.close()),
  };
}
