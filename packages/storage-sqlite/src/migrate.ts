// Brings the schema up to date, once, however many processes start at the same time.
import { SchemaVersionError } from '@romancy/core/ports';
import type { Migration } from './migrations.js';
import { retryWhileBusy, type RetryOptions } from './retry-while-busy.js';
import type { SqliteConnection } from './sqlite-connection.js';
import type { TableNames } from './table-names.js';

export interface MigrateRequest {
  readonly tables: TableNames;
  /** What this code knows, ascending. */
  readonly migrations: readonly Migration[];
  readonly now: number;
  readonly retry: RetryOptions;
}

/**
 * Applies what is missing, all in one transaction: nobody sees a schema that is half made. Whoever waited for the lock meanwhile looks
 * again under it and finds nothing left to do.
 * @throws SchemaVersionError when a newer version of this package has left a schema with which this one cannot work.
 */
export async function migrate(connection: SqliteConnection, request: MigrateRequest): Promise<void> {
  const { tables, migrations, now, retry } = request;
  const newest = migrations.at(-1)!.version;
  // The usual start finds everything in place and takes no lock.
  if ((await retryWhileBusy(() => schemaVersion(connection, tables), retry)) < newest) {
    await retryWhileBusy(() => connection.immediately(() => apply(connection, { tables, migrations, now })), retry);
  }
  await retryWhileBusy(() => requireCompatibleSchema(connection, { tables, version: newest }), retry);
}

/** @throws SchemaVersionError when code that knows `version` cannot work with the schema that is there. */
export function requireCompatibleSchema(
  connection: SqliteConnection,
  { tables, version }: { readonly tables: TableNames; readonly version: number },
): void {
  const sql = `SELECT max(version) AS version, max(oldest_compatible) AS oldest FROM ${tables.migrations}`;
  const found = connection.get<{ readonly version: number; readonly oldest: number }>(sql)!;
  if (found.oldest > version) {
    throw new SchemaVersionError(
      `the schema of ${tables.migrations} is of version ${found.version}, which code from version ${found.oldest} on can use; ` +
        `this version of @romancy/storage-sqlite knows version ${version}. Update the package`,
    );
  }
}

function apply(
  connection: SqliteConnection,
  { tables, migrations, now }: Pick<MigrateRequest, 'tables' | 'migrations' | 'now'>,
): void {
  connection.database.exec(
    `CREATE TABLE IF NOT EXISTS ${tables.migrations} (
      version INTEGER PRIMARY KEY,
      oldest_compatible INTEGER NOT NULL,
      applied_at INTEGER NOT NULL
    )`,
  );
  const current = schemaVersion(connection, tables);
  const insert = `INSERT INTO ${tables.migrations} (version, oldest_compatible, applied_at) VALUES (?, ?, ?)`;
  for (const migration of migrations) {
    if (migration.version <= current) continue;
    connection.database.exec(migration.sql(tables));
    connection.run(insert, migration.version, migration.oldestCompatible, now);
  }
}

/** The newest step that was applied; 0 when there is nothing yet. */
function schemaVersion(connection: SqliteConnection, tables: TableNames): number {
  const isThere =
    connection.get(`SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?`, tables.migrations) !== undefined;
  if (!isThere) return 0;
  return (
    connection.get<{ readonly version: number | null }>(`SELECT max(version) AS version FROM ${tables.migrations}`)!.version ?? 0
  );
}
