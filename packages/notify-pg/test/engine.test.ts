// Apps with this notifier beside the storage on PostgreSQL do what the engine's suite wants of processes that wake each other.
import { notifierConformance, type NotifierFixture } from '@romancy/core/conformance';
import { createPostgresStorage } from '@romancy/storage-postgres';
import { compileFixture, shareDatabase, spawnFixture, type FixtureProcess } from '@romancy/test-support';
import { describe, expect, it } from 'vitest';
import { createPgNotifier } from '../src/index.js';

// A schema and a prefix for each test.
const database = shareDatabase();
let tests = 0;

notifierConformance('notes over PostgreSQL', async (): Promise<NotifierFixture> => {
  const schema = `engine_${++tests}`;
  return {
    storage: () => createPostgresStorage({ connectionString: database.url, maxConnections: 5, schema }),
    manualTime: false,
    notifier: () => createPgNotifier({ connectionString: database.url, channelPrefix: schema, applicationName: schema }),
    async cutNotifiers() {
      await database.client.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE $1', [
        `${schema}:%`,
      ]);
    },
    async cleanup() {
      await database.client.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
    },
  };
});

interface Said {
  readonly ready?: boolean;
  readonly line?: string;
  readonly pid?: number;
}

describe('a killed process', { timeout: 120_000 }, () => {
  it('has its run taken over by one of two others within three seconds, five times', { retry: 2 }, async () => {
    const schema = `engine_${++tests}`;
    const program = await compileFixture(new URL('./fixtures/takeover-worker.ts', import.meta.url));
    const spawn = async (): Promise<FixtureProcess> => {
      const worker = spawnFixture(program, [database.url, schema]);
      await worker.message<Said>(({ ready }) => ready === true, { timeout: 30_000 });
      return worker;
    };
    const workers = [await spawn(), await spawn(), await spawn()];
    const took: number[] = [];
    for (let round = 0; round < 5; round++) {
      const instanceId = `run-${round}`;
      const owner = workers.shift()!;
      owner.send({ start: instanceId });
      await owner.message<Said>(({ line }) => line === instanceId, { timeout: 30_000 });
      // As it is in life: it has run for a while when its process dies.
      const [spare] = await Promise.all([spawn(), new Promise((resolve) => setTimeout(resolve, 1500))]);
      const elsewhere = [...workers, spare].map((worker) =>
        worker.message<Said>(({ line }) => line === instanceId, { timeout: 60_000 }),
      );
      const killedAt = performance.now();
      await owner.kill('SIGKILL');
      await Promise.any(elsewhere);
      took.push(performance.now() - killedAt);
      workers.push(spare);
    }
    expect(Math.max(...took), `taken over after ${took.map(Math.round).join(', ')} ms`).toBeLessThan(3000);
  });
});
