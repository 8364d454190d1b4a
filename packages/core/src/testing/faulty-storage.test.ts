// Planned faults come where they were planned, and what they say of the effect is true.
import { beforeEach, describe, expect, it } from 'vitest';
import { LeaseLostError, StorageUnavailableError } from '../domain/errors.js';
import { type FaultyStorage, withFaults } from './faulty-storage.js';
import { ManualClock } from './manual-clock.js';
import { createMemoryDatabase, type MemoryDatabase } from './memory-database.js';
import { createMemoryStorage } from './memory-storage.js';
import { recordingLogger } from './recording-logger.js';

const worker = { workerId: 'w', serviceName: 's', leaseMs: 30_000, workflowNames: ['order'], starts: [] };

let clock: ManualClock;
let database: MemoryDatabase;
let storage: FaultyStorage;

beforeEach(async () => {
  clock = new ManualClock();
  database = createMemoryDatabase();
  storage = withFaults(createMemoryStorage({ database }));
  await storage.open({ clock, logger: recordingLogger() });
  await storage.leases.register(worker);
});

describe('withFaults', () => {
  it('changes nothing without a plan, and counts', async () => {
    expect(storage).toMatchObject({ kind: 'memory', reapIntervalMs: 1000 });
    expect(await start('one')).toMatchObject({ conflicts: [] });
    expect((await storage.instances.get('one'))?.status).toBe('running');
    expect([storage.count('open'), storage.count('runs.commit'), storage.count('runs.claim'), storage.count()]).toEqual([
      1, 1, 0, 4,
    ]);
    await expect(storage.runs.readSignals({ workerId: 'dead', instanceIds: [], mailLimit: 1 })).rejects.toBeInstanceOf(
      LeaseLostError,
    );
  });

  it('fails before: nothing has happened', async () => {
    storage.failNext('runs.commit', 'before');
    await expect(start('one')).rejects.toBeInstanceOf(StorageUnavailableError);
    expect(database.instances.has('one')).toBe(false);
    expect(await start('one')).toMatchObject({ conflicts: [] });
  });

  it('fails after: it took effect and the answer is lost', async () => {
    storage.failNext('runs.commit', 'after');
    await expect(start('one')).rejects.toBeInstanceOf(StorageUnavailableError);
    expect(database.instances.has('one')).toBe(true);
  });

  it('fails as often as planned, in the order planned, at that transition alone', async () => {
    storage.failNext('leases.upkeep', 'before', 2);
    storage.failNext('leases.upkeep', 'after');
    await start('one');
    const upkeep = () => storage.leases.upkeep({ ...worker, renewal: { ...worker, presence: null }, suspects: [] });
    for (let n = 0; n < 3; n++) await expect(upkeep()).rejects.toBeInstanceOf(StorageUnavailableError);
    expect((await upkeep()).alive).toBe(true);
  });

  it('is down as a whole, and up again', async () => {
    storage.setDown(true);
    await expect(start('one')).rejects.toBeInstanceOf(StorageUnavailableError);
    await expect(storage.instances.get('one')).rejects.toBeInstanceOf(StorageUnavailableError);
    storage.setDown(false);
    expect(await storage.instances.get('one')).toBeUndefined();
  });

  it('asks the plan at each call, with the name and the counts', async () => {
    const seen: string[] = [];
    storage.plan = {
      fault: ({ name, count }) => {
        seen.push(`${name} ${count}`);
        return name === 'runs.commit' && count === 2 ? { fail: 'before' } : undefined;
      },
    };
    await start('one');
    await expect(start('two')).rejects.toThrow('planned fault at runs.commit, call 2; in truth, nothing has happened');
    await start('three');
    expect(seen).toEqual(['runs.commit 1', 'runs.commit 2', 'runs.commit 3']);
  });

  it('calls hooks around the effect, waits for them, and lets them see the argument', async () => {
    const log: string[] = [];
    storage.plan = {
      before: async ({ name, argument }) => {
        await Promise.resolve();
        log.push(`before ${name} ${JSON.stringify(argument)} ${database.events.size}`);
      },
      after: ({ name }) => void log.push(`after ${name} ${database.events.size}`),
    };
    await storage.messages.deliver({
      messageId: 'e',
      source: 's',
      topic: 'c',
      data: '1',
      to: { type: 'subscribers' },
      starts: null,
    });
    expect(log).toEqual([
      'before messages.deliver {"messageId":"e","source":"s","topic":"c","data":"1","to":{"type":"subscribers"},"starts":null} 0',
      'after messages.deliver 1',
    ]);
  });

  it('delays the effect and the answer by the clock of the app', async () => {
    storage.plan = { fault: () => ({ delayMs: 1000, answerDelayMs: 500 }) };
    let answered = false;
    const started = start('one').then(() => (answered = true));
    await clock.advance(999);
    expect(database.instances.has('one')).toBe(false);
    await clock.advance(1);
    expect([database.instances.has('one'), answered]).toEqual([true, false]);
    await clock.advance(500);
    expect(answered).toBe(true);
    await started;
  });

  it('holds for activity transactions too: a lost answer, a commit that never was, a rollback that never fails', async () => {
    await start('one');
    const begin = () => storage.transactions.begin({ signal: new AbortController().signal });
    const [first, second] = [await begin(), await begin()];
    const entry = { instanceId: 'one', kind: 'value', callId: 'c', position: 0, data: null, dueAt: null } as const;
    storage.failNext('transactions.commit', 'before');
    storage.failNext('transactions.commit', 'after');
    await expect(first.commit({ workerId: 'w', entry: { ...entry, seq: 1 } })).rejects.toBeInstanceOf(StorageUnavailableError);
    await expect(second.commit({ workerId: 'w', entry: { ...entry, seq: 2 } })).rejects.toBeInstanceOf(StorageUnavailableError);
    expect(database.instances.get('one')?.history.map(({ seq }) => seq)).toEqual([2]);
    storage.setDown(true);
    await first.rollback();
    await storage.close();
    expect(storage.count('transactions.rollback')).toBe(1);
  });
});

function start(instanceId: string) {
  return storage.runs.commit({
    workerId: 'w',
    starts: [{ instanceId, workflowName: 'order', input: '1', startToken: instanceId, owned: true }],
    entries: [],
    effects: [],
    subscriptions: [],
    takenMail: [],
    settlements: [],
  });
}
