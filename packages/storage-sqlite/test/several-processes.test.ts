// Processes that share one file: each really runs, and some are really killed.
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually, temporaryFile } from '@romancy/test-support';
import { describe, expect, it } from 'vitest';
import { batch, claimAll, complete, look, openStorage, register, renewal, start } from './local-storage.js';
import { startRemoteStorage } from './remote-storage.js';

describe('several processes on one file', () => {
  it(
    'ten open an empty one at once: the schema is made once, and each can work as soon as it is open',
    { timeout: 90_000 },
    async () => {
      const filename = await temporaryFile();
      const remotes = await Promise.all(Array.from({ length: 10 }, () => startRemoteStorage(filename)));
      await Promise.all(
        remotes.map(async (remote, index) => {
          await remote.call('open');
          await register(remote, `worker-${index}`);
          await remote.runs.commit(batch(`worker-${index}`, { starts: [start(`instance-${index}`)] }));
        }),
      );
      const storage = await openStorage({ filename });
      for (let index = 0; index < remotes.length; index++) {
        expect((await storage.instances.get(`instance-${index}`))?.owner).toBe(`worker-${index}`);
      }
    },
  );

  it('never claim the same instance', { timeout: 60_000 }, async () => {
    const filename = await temporaryFile();
    const storage = await openStorage({ filename });
    await register(storage, 'starter');
    const ids = Array.from({ length: 1000 }, (_, index) => `instance-${index}`);
    await storage.runs.commit(batch('starter', { starts: ids.map((id) => start(id, false)) }));
    const workers = await Promise.all(
      ['a', 'b', 'c'].map(async (workerId) => {
        const remote = await startRemoteStorage(filename);
        await remote.call('open');
        await register(remote, workerId);
        return { remote, workerId };
      }),
    );
    const shares = await Promise.all(workers.map(({ remote, workerId }) => remote.call<string[]>('drain', workerId, ['order'])));
    expect(shares.flat()).toHaveLength(ids.length);
    expect(shares.flat().sort()).toEqual([...ids].sort());
  });

  it('all come to write, however hard the others try', { timeout: 60_000, retry: 2 }, async () => {
    const filename = await temporaryFile();
    const names = ['a', 'b', 'c'];
    const remotes = await Promise.all(names.map(() => startRemoteStorage(filename)));
    await Promise.all(remotes.map((remote) => remote.call('open')));
    await Promise.all(remotes.map((remote, index) => register(remote, names[index]!)));
    const shares = await Promise.all(
      remotes.map((remote, index) => remote.call<{ writes: number; longestMs: number }>('hammer', names[index], 1500)),
    );
    const all = shares.reduce((sum, { writes }) => sum + writes, 0);
    for (const { writes, longestMs } of shares) {
      expect(writes / all).toBeGreaterThan(0.05);
      expect(longestMs).toBeLessThan(1500);
    }
  });

  it('come to write between the transactions of activities, although those follow each other without a pause', async () => {
    const filename = await temporaryFile();
    const storage = await openStorage({ filename });
    await register(storage, 'busy');
    const remote = await startRemoteStorage(filename);
    await remote.call('open');
    await register(remote, 'other');
    let ended = 0;
    const activities = Array.from({ length: 60 }, async () => {
      const transaction = await storage.transactions.begin({ signal: new AbortController().signal });
      await sleep(20);
      await transaction.rollback();
      ended++;
    });
    await remote.leases.upkeep(renewal('other', 60_000));
    expect(ended).toBeLessThan(activities.length);
    await Promise.all(activities);
  });

  it('find a killed one dead within a second, with a lease of an hour', { retry: 2 }, async () => {
    const filename = await temporaryFile();
    const storage = await openStorage({ filename });
    await register(storage, 'survivor');
    const remote = await startRemoteStorage(filename);
    await remote.call('open');
    await register(remote, 'victim');
    await remote.runs.commit(batch('victim', { starts: [start('orphan')] }));
    expect((await storage.leases.upkeep(look('survivor'))).reaped).toEqual([]);

    // As the scheduler does: a look at each interval.
    let [lastLook, foundAt] = [-Infinity, 0];
    const found = eventually(
      async () => {
        if (performance.now() - lastLook < storage.reapIntervalMs) return false;
        lastLook = performance.now();
        const { reaped } = await storage.leases.upkeep(look('survivor'));
        foundAt = performance.now();
        return reaped.length === 0 ? false : reaped;
      },
      { timeout: 10_000 },
    );
    const killedAt = performance.now();
    await remote.process.kill('SIGKILL');
    expect(await found).toEqual([{ workerId: 'victim', released: 1 }]);
    expect(foundAt - killedAt).toBeLessThan(1000);
    expect((await storage.runs.claim(claimAll('survivor'))).claimed.map((run) => run.instanceId)).toEqual(['orphan']);
  });

  it('fence one that slept for longer than its lease, and let it join again as a new one', async () => {
    const filename = await temporaryFile();
    const storage = await openStorage({ filename });
    await register(storage, 'awake');
    const remote = await startRemoteStorage(filename);
    await remote.call('open');
    await register(remote, 'sleeper', 300);
    await remote.runs.commit(batch('sleeper', { starts: [start('one')] }));
    process.kill(remote.process.pid, 'SIGSTOP');
    const [dead] = await eventually(async () => {
      const { reaped } = await storage.leases.upkeep(look('awake'));
      return reaped.length === 0 ? undefined : reaped;
    });
    expect(dead).toEqual({ workerId: 'sleeper', released: 1 });
    process.kill(remote.process.pid, 'SIGCONT');

    await expect(remote.runs.commit(batch('sleeper', { settlements: [complete('one')] }))).rejects.toMatchObject({
      code: 'LEASE_LOST',
    });
    await expect(remote.runs.claim(claimAll('sleeper'))).rejects.toMatchObject({ code: 'LEASE_LOST' });
    expect((await remote.leases.upkeep(renewal('sleeper', 300))).alive).toBe(false);
    await register(remote, 'sleeper-again');
    expect((await remote.runs.claim(claimAll('sleeper-again'))).claimed.map((run) => run.instanceId)).toEqual(['one']);
  });

  it('go on when one is killed that has the write lock, and keep nothing of what it wrote', async () => {
    const filename = await temporaryFile();
    const storage = await openStorage({ filename });
    await register(storage, 'survivor');
    const remote = await startRemoteStorage(filename);
    await remote.call('lock');
    const started = storage.runs.commit(batch('survivor', { starts: [start('one')] }));
    await remote.process.kill('SIGKILL');
    expect((await started).conflicts).toEqual([]);
    expect((await storage.instances.get('one'))?.owner).toBe('survivor');
  });
});
