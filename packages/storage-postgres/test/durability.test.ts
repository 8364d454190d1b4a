// Durability on PostgreSQL, shown with real processes that are really killed, and a real server that really fails.
import { durabilityConformance } from '@romancy/core/conformance';
import { createPostgresDurabilityFixture } from './postgres-durability-fixture.js';
import { postgresFaults, postgresOutage } from './postgres-durability-faults.js';

durabilityConformance('PostgreSQL', () => createPostgresDurabilityFixture(), { faults: postgresFaults, outage: postgresOutage });
