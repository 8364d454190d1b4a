// What a user of Romancy's storage on SQLite imports.
export { createSqliteStorage } from './create-sqlite-storage.js';
export type { SqliteStorageOptions } from './sqlite-storage-options.js';
export { sqliteTransaction, type SqliteTransaction } from './sqlite-transaction.js';
