// Tells errors that pass, after which the same call is worth making again, from those that do not.
import { RomancyError, StorageUnavailableError } from '@romancy/core/ports';

/** Classes of SQLSTATE in which everything passes: connection, resources (connections, disk, memory), operator intervention. */
const passingClasses = new Set(['08', '53']);

/**
 * Single SQLSTATEs that pass: serialization failure, unknown completion, deadlock; lock not available; a read-only server (the old
 * primary after a failover); a transaction that was idle for too long; cancelled or timed out, shut down, crashed, starting; I/O error.
 */
const passingStates = new Set([
  '40001',
  '40003',
  '40P01',
  '55P03',
  '25006',
  '25P03',
  '57014',
  '57P01',
  '57P02',
  '57P03',
  '57P05',
  '58030',
]);

/** Codes of the operating system and the resolver. */
const passingCodes = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'ENETRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENOENT', // the socket file of a local server that is down
]);

/** What the driver says without any code. */
const passingMessages = [
  /^Connection terminated/,
  /^timeout exceeded when trying to connect/,
  /^Client has encountered a connection error/,
  /^Client was closed and is not queryable/,
  /^Query read timeout/,
];

/** As the port wants it: StorageUnavailableError with its cause for what passes, anything else as it is. */
export function storageError(error: unknown): unknown {
  if (error instanceof RomancyError || !isPassing(error)) return error;
  return new StorageUnavailableError(`the database did not answer: ${messageOf(error)}`, { cause: error });
}

/** Whether the same call may succeed a little later. */
export function isPassing(error: unknown): boolean {
  if (error instanceof StorageUnavailableError) return true;
  const code = codeOf(error);
  if (isSqlState(code)) {
    return passingStates.has(code) || passingClasses.has(code.slice(0, 2)) || isFullQueueOfNotes(code, messageOf(error));
  }
  if (code !== undefined) return passingCodes.has(code);
  return passingMessages.some((pattern) => pattern.test(messageOf(error)));
}

/** The state stands for other limits as well, which do not pass. What is between the words is translated, the name of the command is not. */
function isFullQueueOfNotes(code: string, message: string): boolean {
  return code === '54000' && message.includes('NOTIFY');
}

/**
 * Whether the connection can be used again after this error: true for an error that the server reported about a statement, false for
 * one that ends the session or comes from below.
 */
export function leavesConnectionUsable(error: unknown): boolean {
  const code = codeOf(error);
  return isSqlState(code) && !code.startsWith('57P') && !code.startsWith('08') && code !== '25P03' && !code.startsWith('XX');
}

/** Whether the session does not have the prepared statement that was named, or has one of the name already. */
export function isAboutName(error: unknown): boolean {
  const code = codeOf(error);
  return code === '26000' || code === '42P05';
}

/** No class of SQLSTATE begins with E, every code of the operating system does. */
function isSqlState(code: string | undefined): code is string {
  return code !== undefined && /^(?!E)[0-9A-Z]{5}$/.test(code);
}

function codeOf(error: unknown): string | undefined {
  const code = (error as { readonly code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}

function messageOf(error: unknown): string {
  // An attempt on several addresses at once fails with a list of errors and an empty message.
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}

/** Whether a row with the same key is there already (unique_violation). */
export function isTaken(error: unknown): boolean {
  return codeOf(error) === '23505';
}

export function isDivisionByZero(error: unknown): boolean {
  return codeOf(error) === '22012';
}
