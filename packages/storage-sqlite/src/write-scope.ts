// What everything that writes works with.
import type { HandedMessage } from '@romancy/core/ports';
import type { SqliteConnection } from './sqlite-connection.js';
import type { TableNames } from './table-names.js';

/** A connection on which a transaction is open that writes, or where one statement is all of it none, and the one time of all that is written. */
export interface WriteScope {
  readonly connection: SqliteConnection;
  readonly tables: TableNames;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Gathers to whom messages of queues came. Left out: nobody asks. */
  readonly handed?: HandedMessage[];
}
