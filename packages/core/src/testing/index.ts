// Fakes for tests of workflows and of adapters: `@romancy/core/testing`.
export { type Fault, type FaultPlan, type TransitionCall, type TransitionName } from './fault-plan.js';
export { FaultyStorage, withFaults } from './faulty-storage.js';
export { ManualClock, settleTurns, type ManualClockOptions } from './manual-clock.js';
export {
  createMemoryDatabase,
  type MemoryDatabase,
  type MemoryInstance,
  type MemoryMail,
  type MemoryWorker,
} from './memory-database.js';
export { MemoryNotifier } from './memory-notifier.js';
export {
  createMemoryNotifierHub,
  type MemoryNote,
  type MemoryNotifierHub,
  type MemoryNotifierHubOptions,
  type NoteFate,
} from './memory-notifier-hub.js';
export { createMemoryStorage, type MemoryStorageOptions } from './memory-storage.js';
export { memoryTransaction, type MemoryTransaction } from './memory-transactions.js';
export { recordingLogger, type LogLevel, type LogLine, type RecordingLogger } from './recording-logger.js';
export { seededEntropy } from './seeded-entropy.js';
