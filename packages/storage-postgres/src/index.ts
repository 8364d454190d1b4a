// What a user of Romancy's storage on PostgreSQL imports.
export { createPostgresStorage } from './create-postgres-storage.js';
export { migratePostgres } from './migrate-postgres.js';
export type { PostgresClient, PostgresPool, PostgresQuery, PostgresResult } from './postgres-pool.js';
export type { PostgresStorageOptions } from './postgres-storage-options.js';
export { postgresTransaction } from './postgres-transaction.js';
export type { PostgresTransaction, TransactionClient, UntypedTables } from './postgres-transaction.js';
