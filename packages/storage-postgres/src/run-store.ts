// Runs on PostgreSQL: commits, claims, signals, mail and history.
import type { RunStore } from '@romancy/core/ports';
import { claimRuns } from './claim-runs.js';
import { createCommitCall } from './commit-function.js';
import { commitProgress } from './commit-progress.js';
import type { Database } from './database.js';
import { readHistory } from './history-rows.js';
import { readMail } from './mail-rows.js';
import { readSignals } from './read-signals.js';
import type { TableNames } from './table-names.js';

export function createRunStore(database: Database, tables: TableNames): RunStore {
  const call = createCommitCall(tables);
  return {
    commit(batch) {
      const toldWith = { name: call.name, wakeups: () => batch.wakeups ?? [] };
      return commitProgress((statement) => database.rowsWithNotes(statement, toldWith), call, batch);
    },
    claim: (request) => claimRuns({ database, tables }, request),
    readSignals: (request) => readSignals(database, tables, request),
    mail: (request) => readMail(database, tables, request),
    history: (request) => readHistory(database, tables, request),
  };
}
