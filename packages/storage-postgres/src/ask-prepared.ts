// Hands a query that sends itself to a client, and finds out when what stands before the driver makes something else of it.
import { isDriverClient, PreparedQuery, type DriverClient } from './prepared-query.js';
import type { Row } from './row.js';
import type { Statement } from './sql.js';
import { isPassing } from './storage-error.js';

/** What programs that watch the driver have put in the place of its `query`, and that took no such queries. */
const unfit = new WeakSet<object>();

/** Whether the client is one of the driver, and has not been seen to make something else of such queries. */
export function takesPrepared(client: object): client is DriverClient {
  return isDriverClient(client) && !unfit.has(queryOf(client));
}

export interface PreparedAsk {
  readonly name: string;
  readonly statement: Statement;
  /** Called with an error or with the rows; a second time at most if the first was an error. */
  readonly answered: (error: unknown, rows: readonly Row[]) => void;
  /** Called instead: nothing was sent, and nothing will be. */
  readonly untaken: () => void;
}

/**
 * Neither throws nor leaves a rejection to nobody. A query may be handed on later, so that one which is not on its way yet proves nothing: only what is
 * known to have never reached the server is asked otherwise, for it must not be done twice.
 */
export function askPrepared(client: DriverClient, { name, statement, answered, untaken }: PreparedAsk): void {
  let isDirect = true;
  let isOver = false;
  let query: PreparedQuery;
  try {
    query = new PreparedQuery(name, statement, (error, rows) => {
      if (isDirect || query.isSubmitted) answered(error, rows);
      else strayed(error ?? new DoneOtherwise());
    });
  } catch {
    // A value of it cannot be said in bytes: what is wrong with it, the server says of its text.
    untaken();
    return;
  }
  const strayed = (error: unknown): void => {
    if (isOver || query.isSubmitted) return;
    isOver = true;
    unfit.add(queryOf(client));
    query.withdraw();
    // The server's word, a lost line or a time limit: some copy was sent.
    if (isUnsent(error)) untaken();
    else answered(error, []);
  };
  let taken: unknown;
  try {
    taken = client.query(query);
    if (taken === query) return;
    isDirect = false;
  } catch (error) {
    isDirect = false;
    strayed(error);
    return;
  }
  Promise.resolve(taken).then((result) => {
    if (hasRows(result)) strayed(new DoneOtherwise());
  }, strayed);
}

/** Something before the driver has had a statement of its own done instead. */
class DoneOtherwise extends Error {
  constructor() {
    super('what stands before the client of pg had a copy of a statement done, and its answer is not what was asked for');
  }
}

/** The driver's own words about what it cannot send have no code, as have those of others. */
function isUnsent(error: unknown): boolean {
  if (error instanceof DoneOtherwise || isPassing(error)) return false;
  return (error as { readonly code?: unknown } | null | undefined)?.code === undefined;
}

function hasRows(result: unknown): boolean {
  return typeof result === 'object' && result !== null && 'rows' in result;
}

/** The function itself. */
function queryOf(client: object): object {
  return (client as { readonly query: object }).query;
}
