// Hands out transactions for activities, never so many that the worker itself is left without a connection.
import { TransactionError, type ActivityTransactions } from '@romancy/core/ports';
import type { Database } from './database.js';
import { Permits } from './permits.js';
import { beginActivityTransaction, type PostgresActivityTransaction } from './postgres-activity-transaction.js';
import type { TableNames } from './table-names.js';

/**
 * A commit, a claim and an upkeep each take a connection for one statement. Transactions of activities keep theirs for as long as
 * the user's code takes; if they could have all, a worker with many long activities could not renew its lease and would be declared
 * dead, or could not commit what would let the activities end. Two connections are therefore never theirs: one for the commits (of
 * which there are two at a time at most, and short ones) and one for everything else, which is short.
 */
const reservedConnections = 2;

export interface TransactionsHost extends ActivityTransactions {
  /** Undoes all that are open, so that their connections are free. */
  close(): Promise<void>;
}

export function createActivityTransactions(database: Database, tables: TableNames, maxConnections: number): TransactionsHost {
  const places = Math.max(0, maxConnections - reservedConnections);
  const permits = new Permits(places);
  const open = new Set<PostgresActivityTransaction>();
  return {
    blocksCommits: false,
    async begin({ signal }) {
      if (places === 0) {
        throw new TransactionError(
          `a pool of ${maxConnections} connections has none to spare for transactions of activities; it takes ${reservedConnections + 1} or more`,
        );
      }
      await permits.take(signal);
      const ended = (transaction: PostgresActivityTransaction): void => {
        open.delete(transaction);
        permits.give();
      };
      const transaction = await beginActivityTransaction({ database, tables, ended }).catch((error: unknown) => {
        permits.give();
        throw error;
      });
      open.add(transaction);
      // The attempt may have ended while the connection was made; nobody would end this transaction then.
      if (signal.aborted) {
        await transaction.rollback();
        signal.throwIfAborted();
      }
      return transaction;
    },
    async close() {
      await Promise.all([...open].map((transaction) => transaction.rollback()));
    },
  };
}
