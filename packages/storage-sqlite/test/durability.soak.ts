// The same as durability.test.ts, over and over, with many more random programs. ROMANCY_SOAK_ROUNDS says how often (default 10).
import { durabilityConformance, environmentNumber } from '@romancy/core/conformance';
import { sqliteFaults, sqliteOutage } from './sqlite-durability-faults.js';
import { createSqliteDurabilityFixture } from './sqlite-durability-fixture.js';

const rounds = environmentNumber('ROMANCY_SOAK_ROUNDS', { byDefault: 10 });

for (let round = 1; round <= rounds; round++) {
  durabilityConformance(`SQLite, round ${round} of ${rounds},`, () => createSqliteDurabilityFixture(), {
    leaseMs: 3_600_000,
    takeoverMs: 3000,
    faults: sqliteFaults,
    outage: sqliteOutage,
    killStep: 1,
    programRuns: 20,
    crowdKills: 40,
    timeout: 1_800_000,
  });
}
