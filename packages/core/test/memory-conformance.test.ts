// The memory storage keeps the storage port's word.
import type { StorageFixture } from '@romancy/core/conformance';
import { storageConformance } from '@romancy/core/conformance';
import {
  createMemoryDatabase,
  createMemoryStorage,
  ManualClock,
  recordingLogger,
  type MemoryDatabase,
  type MemoryTransaction,
} from '@romancy/core/testing';

storageConformance('memory storage', async (): Promise<StorageFixture> => {
  const [database, other] = [createMemoryDatabase(), createMemoryDatabase()];
  const clock = new ManualClock();
  const openOn = async (chosen: MemoryDatabase) => {
    const storage = createMemoryStorage({ database: chosen });
    await storage.open({ clock, logger: recordingLogger() });
    return storage;
  };
  return {
    clock,
    open: () => openOn(database),
    openElsewhere: () => openOn(other),
    transactions: {
      write: async (handle, key, value) => (handle as MemoryTransaction).set(key, value),
      readWithin: async (handle, key) => (handle as MemoryTransaction).get(key) as string | undefined,
      read: async (key) => database.values.get(key) as string | undefined,
    },
    skip: {
      kill: 'a memory storage lives and dies with the process of the tests',
      failInTransaction: 'a map has no statements that could fail',
    },
    cleanup: () => Promise.resolve(),
  };
});
