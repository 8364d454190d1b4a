// The part of the storage by which runs are claimed and their progress is committed.
import type { RunStore } from '@romancy/core/ports';
import { claimRuns } from './claim-runs.js';
import { commitAlone } from './commit-alone.js';
import { commitEnd } from './commit-end.js';
import { commitProgress } from './commit-progress.js';
import { findHistory, readHistory } from './read-history.js';
import { readMail, readSignals } from './read-signals.js';
import type { SqliteConnection } from './sqlite-connection.js';
import type { SqliteFile } from './sqlite-file.js';

export function createRunStore(file: SqliteFile): RunStore {
  const { tables } = file;
  const numberOf = (connection: SqliteConnection, instanceId: string): number | undefined =>
    connection.get<{ readonly id: number }>(`SELECT id FROM ${tables.instances} WHERE instance_id = ?`, instanceId)?.id;
  return {
    commit: (batch) =>
      file.writeInTurn((connection) => {
        const scope = { connection, tables, now: file.now() };
        return commitAlone(scope, batch) ?? connection.immediately(() => commitEnd(scope, batch) ?? commitProgress(scope, batch));
      }),
    claim: (request) => claimRuns(file, request),
    readSignals: (request) => readSignals(file, request),
    mail: ({ instanceId, topic, afterMailId, limit }) =>
      file.snapshot((connection) => {
        const id = numberOf(connection, instanceId);
        return id === undefined ? [] : readMail(connection, { tables, id, topic, after: afterMailId, limit });
      }),
    history: ({ instanceId, afterSeq, limit }) =>
      file.snapshot((connection) => {
        const part = findHistory(connection, tables, instanceId);
        return part === undefined ? [] : readHistory(connection, { tables, part, afterSeq, limit });
      }),
  };
}
