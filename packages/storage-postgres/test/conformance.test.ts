// Holds this storage to the word of the port.
import { storageConformance } from '@romancy/core/conformance';
import { postgresFixture } from './postgres-fixture.js';

// The comparison with the memory storage takes 15 seconds alone on the machine, and its share of them beside others.
storageConformance('PostgreSQL', postgresFixture, { timeout: 240_000 });
