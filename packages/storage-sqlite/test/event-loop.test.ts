// Waiting for the lock of another process does not stop this one.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import { StorageUnavailableError } from '@romancy/core/ports';
import { eventually, temporaryFile } from '@romancy/test-support';
import { describe, expect, it } from 'vitest';
import { batch, openStorage, register, renewal, start } from './local-storage.js';
import { startRemoteStorage } from './remote-storage.js';

describe('while another process has the write lock', () => {
  it('the event loop goes on, reads are answered, and writes follow as soon as they can', { retry: 2 }, async () => {
    const filename = await temporaryFile();
    const storage = await openStorage({ filename });
    await register(storage, 'me');
    const remote = await startRemoteStorage(filename);
    // How late turns are on this machine at this moment, with nobody to wait for.
    const usual = monitorEventLoopDelay({ resolution: 5 });
    usual.enable();
    await eventually(() => usual.count >= 80);
    usual.disable();
    await remote.call('lock');

    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    const began = performance.now();
    const writes = Promise.all([
      storage.runs.commit(batch('me', { starts: [start('one')] })),
      storage.leases.upkeep(renewal('me', 60_000)),
      storage.instances.requestCancel({ instanceId: 'one', reason: null }),
    ]).then(() => performance.now());
    const reads = eventually(async () => {
      expect(await storage.instances.get('one')).toBeUndefined();
      return performance.now() - began > 2000;
    });
    await reads;
    const unlocked = performance.now();
    await remote.call('unlock');
    const written = await writes;
    delay.disable();

    expect(written).toBeGreaterThan(unlocked);
    expect(written - unlocked).toBeLessThan(500);
    // In nanoseconds. With SQLite's own waiting, one turn would take 2 s.
    expect((delay.percentile(90) - usual.percentile(90)) / 1e6).toBeLessThan(20);
    expect((delay.max - usual.max) / 1e6).toBeLessThan(500);
    expect((await storage.instances.get('one'))?.cancelRequested).toBe(true);
  });

  it('a write that had to wait for too long says so, changes nothing, and can be repeated', async () => {
    const filename = await temporaryFile();
    const storage = await openStorage({ filename, lockTimeoutMs: 100 });
    await register(storage, 'me');
    const remote = await startRemoteStorage(filename);
    await remote.call('lock');
    const commit = batch('me', { starts: [start('one')] });
    const refused = await storage.runs.commit(commit).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(StorageUnavailableError);
    expect((refused as Error).cause).toMatchObject({ code: 'SQLITE_BUSY' });
    await expect(storage.transactions.begin({ signal: new AbortController().signal })).rejects.toBeInstanceOf(
      StorageUnavailableError,
    );
    await remote.call('unlock');
    expect((await storage.runs.commit(commit)).conflicts).toEqual([]);
  });

  it('an activity that is aborted stops waiting for its transaction', async () => {
    const filename = await temporaryFile();
    const storage = await openStorage({ filename });
    const remote = await startRemoteStorage(filename);
    await remote.call('lock');
    const attempt = new AbortController();
    const begun = storage.transactions.begin({ signal: attempt.signal });
    // Until it is past its own line and at the file's.
    await turn();
    attempt.abort(new Error('took too long'));
    await expect(begun).rejects.toThrow('took too long');
    await remote.call('unlock');
    await register(storage, 'me');
  });

  it('a storage that is closed stops waiting', async () => {
    const filename = await temporaryFile();
    const storage = await openStorage({ filename });
    await register(storage, 'me');
    const remote = await startRemoteStorage(filename);
    await remote.call('lock');
    const commit = storage.runs.commit(batch('me', { starts: [start('one')] }));
    const refused = expect(commit).rejects.toMatchObject({ code: 'NOT_RUNNING' });
    await storage.close();
    await refused;
    await remote.call('unlock');
  });
});
