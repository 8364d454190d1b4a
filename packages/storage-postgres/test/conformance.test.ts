// Holds this storage to the word of the port.
import { storageConformance } from '@romancy/core/conformance';
import { createDatabase } from '@romancy/test-support';
import { beforeAll } from 'vitest';
import { postgresFixtureAt } from './postgres-fixture.js';

let url: string;

beforeAll(async () => {
  url = (await createDatabase()).url;
});

// The comparison with the memory storage takes 15 seconds alone on the machine, and its share of them beside others.
storageConformance('PostgreSQL', () => postgresFixtureAt(url), { timeout: 240_000 });
