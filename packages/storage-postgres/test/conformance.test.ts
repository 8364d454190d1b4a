// Holds this storage to the word of the port.
import { storageConformance } from '@romancy/core/conformance';
import { shareDatabase } from '@romancy/test-support';
import { postgresFixture } from './postgres-fixture.js';

const database = shareDatabase();

// The comparison with the memory storage takes 15 seconds alone on the machine, and its share of them beside others.
storageConformance('PostgreSQL', (needs) => postgresFixture({ database, needs }), { timeout: 240_000 });
