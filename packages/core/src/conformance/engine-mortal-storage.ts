// A storage whose process can die: what it had open ends, as a database ends it, and nothing is answered or takes effect any more.
import type { ActivityTransaction, Storage } from '../ports/index.js';
import { withFaults, type FaultyStorage } from '../testing/index.js';

export interface MortalStorage {
  /** For the app. */
  readonly storage: FaultyStorage;
  readonly isDead: boolean;
  die(): void;
}

export function mortal(within: Storage): MortalStorage {
  const open = new Set<ActivityTransaction>();
  let isDead = false;
  const watched: Storage = {
    kind: within.kind,
    description: within.description,
    reapIntervalMs: within.reapIntervalMs,
    leases: within.leases,
    runs: within.runs,
    instances: within.instances,
    messages: within.messages,
    outbox: within.outbox,
    retention: within.retention,
    transactions: {
      blocksCommits: within.transactions.blocksCommits,
      async begin(options) {
        const transaction = await within.transactions.begin(options);
        open.add(transaction);
        if (isDead) await transaction.rollback();
        return transaction;
      },
    },
    open: (context) => within.open(context),
    close: () => within.close(),
  };
  const storage = withFaults(watched);
  return {
    storage,
    get isDead() {
      return isDead;
    },
    die() {
      isDead = true;
      const never = (): Promise<void> => new Promise(() => undefined);
      storage.plan = { before: never, after: never };
      for (const transaction of open) void transaction.rollback();
    },
  };
}
