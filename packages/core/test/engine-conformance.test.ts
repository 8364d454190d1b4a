// The engine on the memory storage does what it promises.
import { engineConformance } from '@romancy/core/conformance';
import { createMemoryDatabase, createMemoryStorage, memoryTransaction } from '@romancy/core/testing';
import { collectGarbage } from '@romancy/test-support';

engineConformance(
  'memory',
  async () => {
    const database = createMemoryDatabase();
    return {
      storage: () => createMemoryStorage({ database }),
      manualTime: true,
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
