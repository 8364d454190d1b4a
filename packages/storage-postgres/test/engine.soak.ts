// The same as engine-conformance.test.ts in its full size.
import { engineConformance } from '@romancy/core/conformance';
import { collectGarbage } from '@romancy/test-support';
import { createPostgresEngineFixture } from './postgres-engine-fixture.js';

engineConformance('PostgreSQL', createPostgresEngineFixture(), { collectGarbage, timeout: 300_000 });
