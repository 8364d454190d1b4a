// Runs on PostgreSQL: commits, claims, signals, mail and history.
import type { RunStore } from '@romancy/core/ports';
import { claimRuns } from './claim-runs.js';
import { createClaimCall } from './claim-function.js';
import { createCommitCall } from './commit-call.js';
import { commitProgress } from './commit-progress.js';
import type { Database } from './database.js';
import { readHistory } from './history-rows.js';
import { readMail } from './mail-rows.js';
import { readSignals } from './read-signals.js';
import type { TableNames } from './table-names.js';

export function createRunStore(database: Database, tables: TableNames): RunStore {
  const commitCall = createCommitCall(tables);
  const claimCall = createClaimCall(tables);
  return {
    commit(batch) {
      const toldWith = { name: commitCall.name, wakeups: () => batch.wakeups ?? [] };
      return commitProgress((statement) => database.rowsWithNotes(statement, toldWith), commitCall, batch);
    },
    claim: (request) => claimRuns({ database, tables, call: claimCall }, request),
    readSignals: (request) => readSignals(database, tables, request),
    mail: (request) => readMail(database, tables, request),
    history: (request) => readHistory(database, tables, request),
  };
}
