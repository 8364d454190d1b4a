// Durability on SQLite, shown with real processes that are really killed.
import { durabilityConformance } from '@romancy/core/conformance';
import { createSqliteDurabilityFixture } from './sqlite-durability-fixture.js';

durabilityConformance('SQLite', createSqliteDurabilityFixture);
