// Which errors of SQLite pass, and what they become.
import { StorageUnavailableError } from '@romancy/core/ports';

/** The connection is in the middle of something of the user's, who shares it; to be waited for like a lock. */
export class ConnectionInUseError extends Error {
  constructor() {
    super('the given connection is inside a transaction of its owner');
  }
}

/** Somebody else has what was asked for, and will give it back: nothing was done, and the same can be tried again. */
export function isBusy(error: unknown): boolean {
  if (error instanceof ConnectionInUseError) return true;
  const code = sqliteCode(error);
  if (code !== undefined) return /^SQLITE_(BUSY|LOCKED|PROTOCOL)/.test(code);
  // What better-sqlite3 says while the owner of a given connection is in a loop over rows of it.
  return error instanceof TypeError && error.message.includes('busy executing a query');
}

/** What a call rejects with: disk full, input/output errors and too many open files pass; all else is as it is. */
export function asStorageError(error: unknown): unknown {
  const code = sqliteCode(error);
  if (isBusy(error) || (code !== undefined && /^SQLITE_(FULL|IOERR|CANTOPEN)/.test(code))) {
    return new StorageUnavailableError(`SQLite: ${(error as Error).message}${code === undefined ? '' : ` (${code})`}`, {
      cause: error,
    });
  }
  return error;
}

/** Not by class: each copy of the driver has its own. */
function sqliteCode(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as { readonly code?: unknown }).code : undefined;
  return typeof code === 'string' && code.startsWith('SQLITE_') ? code : undefined;
}
