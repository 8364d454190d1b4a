// Finds out what became of a commit whose answer was lost.
import { StorageUnavailableError, type NewHistoryEntry } from '@romancy/core/ports';
import type { Database } from './database.js';
import { sql } from './sql.js';
import { isPassing } from './storage-error.js';
import type { TableNames } from './table-names.js';

/** Between two looks: at first, and at last. */
const pauseMs = { shortest: 100, longest: 1000 };

/**
 * The entry tells: it is there if the transaction was committed, and nobody else writes one of its number while this worker lives.
 * Before that is believed, the transaction must have ended: a COMMIT that the server got may still be on its way. (The transaction's
 * own status would not do alone: after a failover, a server that never saw it may have given its number to another.)
 *
 * However long that takes, as with a standby that does not confirm it: were the instance handed back meanwhile, its next run would not find the entry
 * and do it again, and then both would stand. While the worker lives nobody else has the instance, and to declare it dead waits for the transaction,
 * which holds the fence.
 *
 * @returns whether it was committed.
 * @throws StorageUnavailableError when the storage is closed before that is known, or the database refuses to tell.
 */
export async function findOutcome(
  { database, tables }: { readonly database: Database; readonly tables: TableNames },
  commit: { readonly transactionId: string; readonly entry: NewHistoryEntry; readonly cause: unknown },
): Promise<boolean> {
  const { instanceId, seq, callId, kind } = commit.entry;
  for (let delayMs = pauseMs.shortest; ; delayMs = await pause(delayMs)) {
    try {
      if (await isUnderWay(database, commit.transactionId)) continue;
      // A statement of its own, so that it sees what was committed until now.
      const rows = await database.rows(sql`
        SELECT h.seq FROM ${tables.history} h
        WHERE h.instance_id = ${instanceId} AND h.seq = ${seq}::int AND h.call_id = ${callId} AND h.kind = ${kind}`);
      return rows.length === 1;
    } catch (error) {
      if (!isPassing(error)) break;
    }
  }
  throw new StorageUnavailableError(`it is not known whether the transaction of ${callId} was committed`, {
    cause: commit.cause,
  });
}

async function isUnderWay(database: Database, transactionId: string): Promise<boolean> {
  try {
    const [row] = await database.rows(sql`SELECT pg_xact_status(${transactionId}::xid8)`);
    return row?.[0] === 'in progress';
  } catch (error) {
    // A number that this server has not given out yet (it took over from one that was ahead): it will never commit here.
    if (!isPassing(error)) return false;
    throw error;
  }
}

/** @returns how long the next one is. */
function pause(delayMs: number): Promise<number> {
  return new Promise((resolve) => setTimeout(() => resolve(Math.min(pauseMs.longest, delayMs * 1.5)), delayMs));
}
