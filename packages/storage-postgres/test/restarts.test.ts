// The server is restarted under workers that others watch by their signs: whoever lives is not taken for dead.
import { startPostgres } from '@romancy/test-support';
import pg from 'pg';
import { expect, it } from 'vitest';
import { openStorage, registered } from './open-storage.js';
import { batch, look, newInstance, renewal } from './worker-calls.js';

it(
  'does not take a sign for gone that a restart of the server ended, but one that its own worker has lost',
  { timeout: 60_000 },
  async () => {
    const server = await startPostgres();
    try {
      const storage = await openStorage({ connectionString: server.url });
      const session = await standing(server.url, 1);
      const watcher = await registered(storage, 'watcher');
      const worker = await registered(storage, 'worker');
      await storage.leases.upkeep(renewal(worker, 3_600_000, session.presence));
      await storage.runs.commit(batch(worker, { starts: [newInstance('one')] }));
      expect(await storage.leases.upkeep(look(watcher))).toMatchObject({ othersOwnWork: true, missing: [] });

      await server.shutDown('immediate');
      await server.startAgain();
      const suspects = [{ workerId: worker, presence: session.presence }];
      // An answer that was lost says nothing; the next one does.
      const ask = (): ReturnType<typeof storage.leases.upkeep> => storage.leases.upkeep({ ...look(watcher), suspects });
      expect(await ask().catch(ask)).toMatchObject({ othersOwnWork: true, missing: [], reaped: [] });

      // A process that begins now has its sign of this server.
      const late = await registered(storage, 'late');
      const other = await standing(server.url, 2);
      await storage.leases.upkeep(renewal(late, 3_600_000, other.presence));
      await storage.runs.commit(batch(late, { starts: [newInstance('two')] }));
      await other.end();
      const missing = { workerId: late, presence: other.presence };
      await expect.poll(async () => (await storage.leases.upkeep(look(watcher))).missing).toEqual([missing]);
      const { reaped } = await storage.leases.upkeep({ ...look(watcher), suspects: [missing, ...suspects] });
      expect(reaped).toEqual([{ workerId: late, released: 1 }]);
    } finally {
      await server.stop();
    }
  },
);

/** A sign, and the end of the session that holds it. */
async function standing(url: string, key: number): Promise<{ readonly presence: string; end(): Promise<void> }> {
  const session = new pg.Client({ connectionString: url });
  session.on('error', () => undefined);
  await session.connect();
  await session.query('SELECT pg_advisory_lock_shared(-6, $1)', [key]);
  return { presence: `advisory:-6:${key}`, end: () => session.end() };
}
