// The run store in memory: each member is one transition.
import type { RunStore } from '../ports/run-store.js';
import { claimRuns, readMail, readSignals } from './memory-claims.js';
import { commitProgress } from './memory-progress.js';
import type { MemorySession } from './memory-session.js';

export function createMemoryRuns(session: MemorySession): RunStore {
  return {
    commit: (batch) => session.run((database, now) => commitProgress(database, batch, now)),
    claim: (request) => session.run((database, now) => claimRuns(database, request, now)),
    readSignals: (request) => session.run((database) => readSignals(database, request)),
    mail: (request) => session.run((database) => readMail(database, request)),
    history: ({ instanceId, afterSeq, limit }) =>
      session.run((database) => {
        const history = database.instances.get(instanceId)?.history ?? [];
        const first = history.findIndex((entry) => entry.seq > afterSeq);
        return first === -1 ? [] : history.slice(first, first + limit).map((entry) => ({ ...entry }));
      }),
  };
}
