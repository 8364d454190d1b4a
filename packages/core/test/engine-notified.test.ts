// Workflows that talk on the memory storage, with a notifier between their processes.
import { notifiedConformance } from '@romancy/core/conformance';
import { createMemoryDatabase, createMemoryNotifierHub, createMemoryStorage, memoryTransaction } from '@romancy/core/testing';

notifiedConformance('notes in memory', async () => {
  const database = createMemoryDatabase();
  const hub = createMemoryNotifierHub();
  return {
    storage: () => createMemoryStorage({ database }),
    manualTime: true,
    notifier: () => hub.createNotifier(),
    rows: {
      write: async (ctx, key, value) => (await memoryTransaction(ctx)).set(key, value),
      read: async (key) => database.values.get(key) as string | undefined,
    },
    skip: { failingStatement: 'a map has no statements that could fail' },
    cleanup: () => Promise.resolve(),
  };
});
