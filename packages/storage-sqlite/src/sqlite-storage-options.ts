// What createSqliteStorage takes, and what it refuses.
import { resolve } from 'node:path';
import { checkKnownOptions, ConfigurationError, namesOf } from '@romancy/core/ports';
import type { Database } from 'better-sqlite3';
import { tableNames, type TableNames } from './table-names.js';

interface CommonOptions {
  /** What the names of Romancy's tables begin with. Apps with different prefixes do not see each other. Default: `romancy_`. */
  readonly tablePrefix?: string;
  /**
   * Called with every connection that the storage opens (not with one that it was given), before its first statement: for `PRAGMA key`
   * of an encrypting build, extensions, functions, `foreign_keys`. The main connection of a `filename` and each activity's transaction
   * have their own.
   */
  readonly onConnection?: (database: Database) => void;
  /**
   * For how long a call tries to get the write lock of the file from another process, in milliseconds, before it rejects with
   * StorageUnavailableError. The event loop goes on meanwhile. Default: 5000.
   */
  readonly lockTimeoutMs?: number;
  /**
   * After this, in milliseconds, an open transaction of an activity is rolled back and the attempt fails: it keeps everything else that
   * writes to the file waiting, in all processes. Default: 30000.
   */
  readonly transactionTimeoutMs?: number;
}

/** Either the file, or the connection that the user has opened himself. */
export type SqliteStorageOptions = CommonOptions &
  (
    | {
        /** Created when it is not there; its folder must be. `:memory:` lives as long as the storage is open, for one app. */
        readonly filename: string;
        readonly database?: undefined;
        /**
         * `full`: what was committed survives a power failure. `normal`: several times faster commits; a power failure or a crash of the
         * operating system (not one of the process) can undo the last of them, so that steps run again. Default: `full`.
         */
        readonly synchronous?: 'full' | 'normal';
      }
    | {
        /**
         * An open connection, used as it is: its settings stay, it is not closed. It must not be read-only, and it should be in WAL mode.
         * Transactions of activities open connections of their own to the same file.
         */
        readonly database: Database;
        readonly filename?: undefined;
        readonly synchronous?: undefined;
      }
  );

/** Options with defaults, checked. */
export interface SqliteSettings {
  readonly source: { readonly filename: string; readonly synchronous: 'full' | 'normal' } | { readonly database: Database };
  readonly tables: TableNames;
  readonly onConnection: (database: Database) => void;
  readonly lockTimeoutMs: number;
  readonly transactionTimeoutMs: number;
}

const optionNames = namesOf<SqliteStorageOptions>({
  filename: true,
  database: true,
  synchronous: true,
  tablePrefix: true,
  onConnection: true,
  lockTimeoutMs: true,
  transactionTimeoutMs: true,
});

/** @throws ConfigurationError that names the option. */
export function checkOptions(options: SqliteStorageOptions): SqliteSettings {
  checkKnownOptions(options, optionNames, '');
  if (options.onConnection !== undefined && typeof options.onConnection !== 'function') {
    throw new ConfigurationError(`onConnection is ${typeof options.onConnection}; it takes a function`, {
      option: 'onConnection',
    });
  }
  return Object.freeze({
    source: checkSource(options),
    tables: tableNames(options.tablePrefix ?? 'romancy_'),
    onConnection: options.onConnection ?? (() => undefined),
    lockTimeoutMs: checkMs('lockTimeoutMs', options.lockTimeoutMs ?? 5000),
    transactionTimeoutMs: checkMs('transactionTimeoutMs', options.transactionTimeoutMs ?? 30_000),
  });
}

function checkSource({ filename, database, synchronous }: SqliteStorageOptions): SqliteSettings['source'] {
  if ((filename === undefined) === (database === undefined)) {
    throw new ConfigurationError('give either filename or database', {
      option: filename === undefined ? 'filename' : 'database',
    });
  }
  if (database !== undefined) {
    if (typeof (database as Partial<Database> | null)?.prepare !== 'function') {
      throw new ConfigurationError('database is no connection; it takes a Database of better-sqlite3', { option: 'database' });
    }
    if (database.readonly)
      throw new ConfigurationError('database is read-only; it takes one that can be written', { option: 'database' });
    if (synchronous !== undefined) {
      throw new ConfigurationError('synchronous goes with filename; a given database keeps the setting that it has', {
        option: 'synchronous',
      });
    }
    return { database };
  }
  if (typeof filename !== 'string' || filename === '') {
    throw new ConfigurationError(`filename is ${JSON.stringify(filename)}; it takes the path of a file, or :memory:`, {
      option: 'filename',
    });
  }
  if (synchronous !== undefined && synchronous !== 'full' && synchronous !== 'normal') {
    throw new ConfigurationError(`synchronous is ${JSON.stringify(synchronous)}; it takes 'full' or 'normal'`, {
      option: 'synchronous',
    });
  }
  // Made absolute here: a later change of the working folder must not lead the next connection to another file.
  return { filename: filename === ':memory:' ? filename : resolve(filename), synchronous: synchronous ?? 'full' };
}

function checkMs(option: string, value: number): number {
  if (!Number.isFinite(value) || value <= 0) {
    throw new ConfigurationError(`${option} is ${String(value)}; it takes milliseconds, more than 0`, { option });
  }
  return value;
}
