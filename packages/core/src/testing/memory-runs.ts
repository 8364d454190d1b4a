// The run store in memory: each member is one transition.
import type { RunStore } from '../ports/run-store.js';
import { claimRuns, readMail, readSignals } from './memory-claims.js';
import { readHistory } from './memory-history.js';
import { commitProgress } from './memory-progress.js';
import type { MemorySession } from './memory-session.js';

export function createMemoryRuns(session: MemorySession): RunStore {
  return {
    commit: (batch) => session.run((database, now) => commitProgress(database, batch, now)),
    claim: (request) => session.run((database, now) => claimRuns(database, request, now)),
    readSignals: (request) => session.run((database) => readSignals(database, request)),
    mail: (request) => session.run((database) => readMail(database, request)),
    history: (request) => session.run((database) => readHistory(database.instances.get(request.instanceId), request)),
  };
}
