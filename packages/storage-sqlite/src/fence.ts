// The check that a worker is alive, made in the transaction that writes for it.
import { LeaseLostError } from '@romancy/core/ports';
import type { SqliteConnection } from './sqlite-connection.js';
import { statementText } from './statement-text.js';
import type { TableNames } from './table-names.js';

const select = statementText(({ workers }) => `SELECT 1 FROM ${workers} WHERE worker_id = ?`);

/**
 * A worker is alive as long as its row is there. Whoever removes the row needs the write lock of the file, as does the transaction that
 * has called this: so the row is either gone before it began, or stays until it has ended.
 */
export function isAlive(connection: SqliteConnection, tables: TableNames, workerId: string): boolean {
  return connection.get(select(tables), workerId) !== undefined;
}

/** @throws LeaseLostError when the worker is not alive. */
export function requireAlive(connection: SqliteConnection, tables: TableNames, workerId: string): void {
  if (!isAlive(connection, tables, workerId)) throw new LeaseLostError({ workerId });
}
