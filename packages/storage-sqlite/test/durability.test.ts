// Durability on SQLite, shown with real processes that are really killed.
import { durabilityConformance } from '@romancy/core/conformance';
import { sqliteFaults, sqliteOutage } from './sqlite-durability-faults.js';
import { createSqliteDurabilityFixture } from './sqlite-durability-fixture.js';

// The death of a process shows within a second; the rest is for a machine that is busy with other things.
durabilityConformance('SQLite', () => createSqliteDurabilityFixture(), {
  leaseMs: 3_600_000,
  takeoverMs: 3000,
  faults: sqliteFaults,
  outage: sqliteOutage,
});
