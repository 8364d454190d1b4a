// Fakes for tests of workflows and of adapters: `@romancy/core/testing`.
export { ManualClock, settleTurns, type ManualClockOptions } from './manual-clock.js';
export {
  createMemoryDatabase,
  type MemoryDatabase,
  type MemoryInstance,
  type MemoryMail,
  type MemoryWorker,
} from './memory-database.js';
export { createMemoryStorage, type MemoryStorageOptions } from './memory-storage.js';
export { memoryTransaction, type MemoryTransaction } from './memory-transactions.js';
export { recordingLogger, type LogLevel, type LogLine, type RecordingLogger } from './recording-logger.js';
export { seededEntropy } from './seeded-entropy.js';
