// The engine on the memory storage does what it promises.
import { engineConformance } from '@romancy/core/conformance';
import {
  createMemoryDatabase,
  createMemoryNotifierHub,
  createMemoryStorage,
  memoryTransaction,
  settleTurns,
  type MemoryNotifier,
} from '@romancy/core/testing';
import { collectGarbage } from '@romancy/test-support';

engineConformance(
  'memory',
  async () => {
    const database = createMemoryDatabase();
    const hub = createMemoryNotifierHub({ presences: database.presences });
    const notifiers: MemoryNotifier[] = [];
    return {
      storage: () => createMemoryStorage({ database }),
      manualTime: true,
      notifier: () => {
        const notifier = hub.createNotifier();
        notifiers.push(notifier);
        return notifier;
      },
      async cutNotifiers() {
        for (const notifier of notifiers) notifier.disconnect();
        await settleTurns(20);
        for (const notifier of notifiers) void notifier.reconnect();
      },
      rows: {
        write: async (ctx, key, value) => (await memoryTransaction(ctx)).set(key, value),
        read: async (key) => database.values.get(key) as string | undefined,
      },
      skip: { failingStatement: 'a map has no statements that could fail' },
      cleanup: () => Promise.resolve(),
    };
  },
  { collectGarbage },
);
