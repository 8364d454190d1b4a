// Holds this storage to the word of the port.
import { storageConformance } from '@romancy/core/conformance';
import { postgresFixture } from './postgres-fixture.js';

storageConformance('PostgreSQL', postgresFixture);
