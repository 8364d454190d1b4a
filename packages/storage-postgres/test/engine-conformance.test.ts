// The engine on PostgreSQL does what it promises.
import { engineConformance } from '@romancy/core/conformance';
import { collectGarbage } from '@romancy/test-support';
import { createPostgresEngineFixture } from './postgres-engine-fixture.js';

// All of it, with ten thousand timers that come due at once: on the other storages, and here in engine.soak.ts.
engineConformance('PostgreSQL', createPostgresEngineFixture(), { collectGarbage, storageOnly: true, timers: 1000 });
