// Runs on PostgreSQL: commits, claims, signals, mail and history.
import { LeaseLostError, type RunStore } from '@romancy/core/ports';
import { ClaimFence } from './claim-fence.js';
import { claimRuns } from './claim-runs.js';
import { commitProgress } from './commit-progress.js';
import type { Database } from './database.js';
import { readHistory } from './history-rows.js';
import { readMail } from './mail-rows.js';
import { readSignals } from './read-signals.js';
import type { TableNames } from './table-names.js';

export function createRunStore(database: Database, tables: TableNames): RunStore {
  const fence = new ClaimFence();
  const parts = { database, tables, fence };
  return {
    commit: (batch) => forgettingWithLease(fence, () => commitProgress(parts, batch)),
    claim: (request) => forgettingWithLease(fence, () => claimRuns(parts, request)),
    readSignals: (request) => readSignals(database, tables, request),
    mail: (request) => readMail(database, tables, request),
    history: (request) => readHistory(database, tables, request),
  };
}

/** Who lost the lease holds nothing any more; its successor comes with another id. */
async function forgettingWithLease<T>(fence: ClaimFence, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof LeaseLostError) fence.clear();
    throw error;
  }
}
