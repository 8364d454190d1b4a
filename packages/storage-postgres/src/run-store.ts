// Runs on PostgreSQL: commits, claims, signals, mail and history.
import type { ProgressBatch, ProgressResult, RunStore, Wakeup } from '@romancy/core/ports';
import { claimRuns } from './claim-runs.js';
import { createClaimCall } from './claim-function.js';
import { createCommitCalls, type CommitCall } from './commit-call.js';
import { commitProgress, handedNews } from './commit-progress.js';
import { createCommitSingle } from './commit-single.js';
import type { Row } from './row.js';
import type { Database } from './database.js';
import { readHistory } from './history-rows.js';
import { readMail } from './mail-rows.js';
import { readSignals } from './read-signals.js';
import { isTaken } from './storage-error.js';
import type { TableNames } from './table-names.js';

export function createRunStore(database: Database, tables: TableNames): RunStore {
  const calls = createCommitCalls(tables);
  const commitBy = (call: CommitCall, batch: ProgressBatch): Promise<ProgressResult> => {
    const wakeups = ([row]: readonly Row[]): readonly Wakeup[] => [
      ...(batch.wakeups ?? []),
      ...handedNews(call.read(row!)?.handed ?? null, batch).wakeups,
    ];
    const toldWith = { name: call.name, wakeups };
    return commitProgress((statement) => database.rowsWithNotes(statement, toldWith), call, batch);
  };
  const commitSingle = createCommitSingle(database, tables);
  const claimCall = createClaimCall(tables);
  return {
    async commit(batch) {
      const call = calls.of(batch);
      try {
        return (await commitSingle(batch)) ?? (await commitBy(call, batch));
      } catch (error) {
        // It was committed before, wholly or in part, and its answer was lost.
        if (call !== calls.runsOnly || !isTaken(error)) throw error;
        return await commitBy(calls.any, batch);
      }
    },
    claim: (request) => claimRuns({ database, tables, call: claimCall }, request),
    readSignals: (request) => readSignals(database, tables, request),
    mail: (request) => readMail(database, tables, request),
    history: (request) => readHistory(database, tables, request),
  };
}
