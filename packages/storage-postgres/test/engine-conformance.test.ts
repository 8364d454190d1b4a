// The engine on PostgreSQL does what it promises.
import { engineConformance } from '@romancy/core/conformance';
import { collectGarbage } from '@romancy/test-support';
import { createPostgresEngineFixture } from './postgres-engine-fixture.js';

// Ten thousand timers come due at once on the other storages, and here in engine.soak.ts: it takes a sixth of a minute.
engineConformance('PostgreSQL', createPostgresEngineFixture(), { collectGarbage, timers: 1000 });
