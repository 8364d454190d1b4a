// The same as durability.test.ts, over and over, with many more random programs. ROMANCY_SOAK_ROUNDS says how often (default 10).
import { durabilityConformance, environmentNumber } from '@romancy/core/conformance';
import { postgresFaults, postgresOutage } from './postgres-durability-faults.js';
import { createPostgresDurabilityFixture } from './postgres-durability-fixture.js';

const rounds = environmentNumber('ROMANCY_SOAK_ROUNDS', { byDefault: 10 });

for (let round = 1; round <= rounds; round++) {
  durabilityConformance(`PostgreSQL, round ${round} of ${rounds},`, () => createPostgresDurabilityFixture(), {
    faults: postgresFaults,
    outage: postgresOutage,
    killStep: 1,
    programRuns: 20,
    crowdKills: 40,
    timeout: 1_800_000,
  });
}
