// The memory storage keeps the storage port's word.
import { storageConformance } from '@romancy/core/conformance';
import { createMemoryDatabase, createMemoryStorage, ManualClock, recordingLogger } from '@romancy/core/testing';

storageConformance('memory storage', async () => {
  const database = createMemoryDatabase();
  const clock = new ManualClock();
  return {
    clock,
    async open() {
      const storage = createMemoryStorage({ database });
      await storage.open({ clock, logger: recordingLogger() });
      return storage;
    },
    skip: { kill: 'a memory storage lives and dies with the process of the tests' },
    cleanup: () => Promise.resolve(),
  };
});
