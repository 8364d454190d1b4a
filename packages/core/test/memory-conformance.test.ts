// The memory storage keeps the storage port's word, and so does a storage around it in which nothing is to go wrong.
import { storageConformance, type StorageFixture } from '@romancy/core/conformance';
import type { Storage } from '@romancy/core/ports';
import {
  createMemoryDatabase,
  createMemoryStorage,
  ManualClock,
  recordingLogger,
  withFaults,
  type MemoryDatabase,
  type MemoryTransaction,
} from '@romancy/core/testing';

storageConformance('memory storage', () => fixture((storage) => storage));

// Wrapping must change nothing; one look at each case is enough.
storageConformance('memory storage without faults', () => fixture((storage) => withFaults(storage)), {
  parkRaces: 20,
  claimRaceInstances: 50,
  modelRuns: 10,
});

let signs = 0;

async function fixture(wrap: (storage: Storage) => Storage): Promise<StorageFixture> {
  const [database, other] = [createMemoryDatabase(), createMemoryDatabase()];
  const clock = new ManualClock();
  const openOn = async (chosen: MemoryDatabase): Promise<Storage> => {
    const storage = wrap(createMemoryStorage({ database: chosen }));
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
    async presence() {
      const presence = `sign-${++signs}`;
      database.presences.add(presence);
      return { presence, end: async () => void database.presences.delete(presence) };
    },
    skip: {
      kill: 'a memory storage lives and dies with the process of the tests',
      failInTransaction: 'a map has no statements that could fail',
    },
    cleanup: () => Promise.resolve(),
  };
}
