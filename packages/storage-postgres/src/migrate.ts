// Brings the schema up to date: once, however many processes open it at the same time, and never under code that is too old for it.
import { SchemaVersionError } from '@romancy/core/ports';
import type { Connection } from './connection.js';
import type { Row } from './row.js';
import type { Database } from './database.js';
import { migrations, schemaVersion, type Migration } from './migrations.js';
import { identifier, sql, type Sql } from './sql.js';
import type { TableNames } from './table-names.js';

/** Waiting for another process's migration, or a migration of large tables, may take long. */
const migrationDeadlineMs = 1_800_000;

/** A statement to some connection, which one is the caller's choice. */
type Ask = (statement: Sql) => Promise<readonly Row[]>;

interface Applied {
  readonly versions: ReadonlySet<number>;
  /** The highest of what the applied versions require. */
  readonly requires: number;
}

/**
 * @param allowed whether anything may be created or changed.
 * @throws SchemaVersionError when the schema is too new for this code, or not up to date though nothing may be changed.
 */
export async function migrate(database: Database, tables: TableNames, allowed: boolean): Promise<void> {
  // Without a lock at first: as a rule all is there, and a role that may only read and write can open it too.
  const before = await readApplied((statement) => database.rows(statement), tables);
  if (missing(before).length === 0) return;
  if (!allowed) {
    const names = missing(before).map(({ version, name }) => `${version} (${name})`);
    throw new SchemaVersionError(
      `schema ${tables.schema} lacks version ${names.join(', ')} and option migrate is false: ` +
        `open the storage once with a role that may create tables`,
    );
  }
  await database.transaction(async (connection) => {
    // Held to the end of the transaction and by it alone, so that it works through a transaction pooler and nobody has to give it back.
    // Two schemas share a lock only if their hashes collide; then one of them waits a moment.
    await connection.rows(sql`SELECT pg_advisory_xact_lock(hashtextextended(${`romancy migrations ${tables.schema}`}, 0))`);
    await createSchema(connection, tables);
    // READ COMMITTED: this statement sees what the process before has committed while the lock was waited for.
    const applied = await readApplied((statement) => connection.rows(statement), tables);
    for (const migration of missing(applied)) {
      await connection.script(migration.statements(tables));
      const { version, name, requires } = migration;
      await connection.rows(
        sql`INSERT INTO ${tables.migrations} (version, name, requires, applied_at) VALUES (${version}, ${name}, ${requires}, now())`,
      );
    }
  }, migrationDeadlineMs);
}

/** A condition that holds while the schema has not become too new for this code. */
export function fitsSchema(tables: TableNames): Sql {
  return sql`(SELECT coalesce(max(requires), 0) FROM ${tables.migrations}) <= ${schemaVersion}::int`;
}

export function tooNew(tables: TableNames, requires: number | undefined): SchemaVersionError {
  return new SchemaVersionError(
    `schema ${tables.schema} was made by a newer version of @romancy/storage-postgres and needs code of schema version ` +
      `${requires ?? `${schemaVersion + 1} or later`}; this is ${schemaVersion}: update the package`,
  );
}

async function createSchema(connection: Connection, tables: TableNames): Promise<void> {
  // `CREATE SCHEMA IF NOT EXISTS` wants the right to create one even where it is there already.
  const [row] = await connection.rows(sql`SELECT to_regnamespace(${identifier(tables.schema)}) IS NULL`);
  if (row?.[0] === 't') await connection.script(`CREATE SCHEMA ${identifier(tables.schema)}`);
  await connection.script(
    `CREATE TABLE IF NOT EXISTS ${tables.migrations.text} (
      version integer PRIMARY KEY,
      name text NOT NULL,
      requires integer NOT NULL,
      applied_at timestamptz NOT NULL
    )`,
  );
}

/** @throws SchemaVersionError when the schema is too new for this code. */
async function readApplied(ask: Ask, tables: TableNames): Promise<Applied> {
  const [exists] = await ask(sql`SELECT to_regclass(${tables.migrations.text}) IS NOT NULL`);
  const rows = exists?.[0] === 't' ? await ask(sql`SELECT version, requires FROM ${tables.migrations}`) : [];
  const requires = Math.max(0, ...rows.map((row) => Number(row[1])));
  if (requires > schemaVersion) throw tooNew(tables, requires);
  return { versions: new Set(rows.map((row) => Number(row[0]))), requires };
}

function missing(applied: Applied): readonly Migration[] {
  return migrations.filter(({ version }) => !applied.versions.has(version));
}
