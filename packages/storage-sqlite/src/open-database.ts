// Opens connections: the main one of a file, and further ones to where a connection already leads.
import Database, { type Database as Connection } from 'better-sqlite3';
import { ConfigurationError } from '@romancy/core/ports';
import { retryWhileBusy, type RetryOptions } from './retry-while-busy.js';

/** No busy timeout: SQLite would sleep through it, and the process with it. */
const noWaiting = { timeout: 0 };

/** @throws ConfigurationError when the file cannot be opened, or its file system cannot carry a write-ahead log. */
export async function openFile(
  {
    filename,
    synchronous,
    onConnection,
  }: {
    readonly filename: string;
    readonly synchronous: 'full' | 'normal';
    readonly onConnection: (database: Connection) => void;
  },
  retry: RetryOptions,
): Promise<Connection> {
  const database = openOrExplain(filename);
  try {
    onConnection(database);
    // Of ten processes that find an empty file, one changes the mode, while the others are told that it is locked.
    const mode = await retryWhileBusy(() => database.pragma('journal_mode = WAL', { simple: true }), retry);
    if (mode !== 'wal' && isFile(database)) {
      throw new ConfigurationError(
        `${filename} cannot have a write-ahead log (journal mode ${String(mode)}); put it on a local disk, not on a network file system`,
        { option: 'filename' },
      );
    }
    database.pragma(`synchronous = ${synchronous}`);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * Another connection to the same file, with the settings of the first that decide what is durable and what is refused. Made by the first
 * one's class: a second copy of SQLite in one process would drop the first one's locks on the file.
 */
export function openAnother(main: Connection, onConnection: (database: Connection) => void): Connection {
  const Class = main.constructor as typeof Database;
  const database = new Class(pathOf(main), { ...noWaiting, fileMustExist: true });
  try {
    onConnection(database);
    for (const setting of ['synchronous', 'foreign_keys']) {
      database.pragma(`${setting} = ${String(main.pragma(setting, { simple: true }))}`);
    }
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * Closes a connection, whatever its user left behind. One whose user is in a loop over rows cannot be closed: it is made unable to write,
 * and the driver closes it when nothing refers to it any more.
 */
export function closeAnyhow(database: Connection): void {
  try {
    database.close();
  } catch {
    database.unsafeMode(true).pragma('query_only = ON');
  }
}

/** Whether others can open what this connection has open. False for databases in memory and for temporary ones. */
export function isFile(database: Connection): boolean {
  return fileOf(database) !== '';
}

/** Absolute, since the working folder may change; a URI stays one, since it may say more than the path. */
export function pathOf(database: Connection): string {
  return database.name.startsWith('file:') ? database.name : fileOf(database) || database.name;
}

/** The absolute path of the file; empty when there is none. */
export function fileOf(database: Connection): string {
  const [main] = database.pragma('database_list') as readonly { readonly file: string }[];
  return main?.file ?? '';
}

function openOrExplain(filename: string): Connection {
  try {
    return new Database(filename, noWaiting);
  } catch (cause) {
    throw new ConfigurationError(`${filename} cannot be opened: ${(cause as Error).message}`, { option: 'filename', cause });
  }
}
