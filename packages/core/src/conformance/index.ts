// Suites that adapters run in their own tests: `@romancy/core/conformance`. They need vitest and fast-check.
export { storageConformance } from './storage-conformance.js';
export type {
  OptionalPart,
  StorageConformanceOptions,
  StorageFixture,
  StorageFixtureFactory,
  StorageNeeds,
  TransactionProbe,
} from './storage-fixture.js';
export { durabilityConformance } from './durability-conformance.js';
export type {
  DurabilityFault,
  DurabilityFixture,
  DurabilityFixtureFactory,
  DurabilityOptions,
  DurabilityOutage,
  WorkerProcess,
} from './durability-fixture.js';
export type { WorkerPlan } from './durability-plan.js';
export { environmentNumber, type EnvironmentNumberOptions } from './environment-number.js';
export { messageSoak, type SoakFixture } from './message-soak.js';
export type { MessageSoakOptions } from './soak-options.js';
export type { SoakPlan } from './soak-plan.js';
export { engineConformance } from './engine-conformance.js';
export { notifiedConformance, notifierConformance, type NotifierFixture } from './notifier-conformance.js';
export type {
  EngineConformanceOptions,
  EngineFixture,
  EngineFixtureFactory,
  EngineOptionalPart,
  UserRows,
} from './engine-fixture.js';
