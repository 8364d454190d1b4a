// The storage port in memory: an executable specification, and what tests of workflows run on.
import type { Storage } from '../ports/storage.js';
import { createMemoryDatabase, type MemoryDatabase } from './memory-database.js';
import { createMemoryInstances } from './memory-instances.js';
import { createMemoryLeases } from './memory-leases.js';
import { createMemoryMessages } from './memory-messages.js';
import { createMemoryOutbox } from './memory-outbox.js';
import { createMemoryRetention } from './memory-retention.js';
import { createMemoryRuns } from './memory-runs.js';
import { MemorySession } from './memory-session.js';
import { createMemoryTransactions } from './memory-transactions.js';

export interface MemoryStorageOptions {
  /** What the storage works on; share one between apps that are to compete. Default: a new, empty one. */
  readonly database?: MemoryDatabase;
}

/**
 * A storage that forgets everything with the process. It takes its times from the app's clock, answers always later and never with
 * anything that it keeps itself, and finds the death of a worker by its lease alone.
 */
export function createMemoryStorage(options: MemoryStorageOptions = {}): Storage {
  const session = new MemorySession(options.database ?? createMemoryDatabase());
  return {
    kind: 'memory',
    description: 'memory of this process',
    reapIntervalMs: 1000,
    leases: createMemoryLeases(session),
    runs: createMemoryRuns(session),
    instances: createMemoryInstances(session),
    messages: createMemoryMessages(session),
    outbox: createMemoryOutbox(session),
    retention: createMemoryRetention(session),
    transactions: createMemoryTransactions(session),
    async open(context) {
      await Promise.resolve();
      session.open(context);
    },
    async close() {
      await Promise.resolve();
      session.close();
    },
  };
}
