// Durability on PostgreSQL, shown with real processes that are really killed.
import { durabilityConformance } from '@romancy/core/conformance';
import { createPostgresDurabilityFixture } from './postgres-durability-fixture.js';

durabilityConformance('PostgreSQL', () => createPostgresDurabilityFixture());
