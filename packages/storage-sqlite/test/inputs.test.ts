// An input is kept whole wherever it lies: in the row of its instance, or, if it is long, apart.
import type { Settlement, Storage } from '@romancy/core/ports';
import { temporaryFile } from '@romancy/test-support';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { batch, claimAll, complete, incoming, openStorage, register, start } from './local-storage.js';

const short = JSON.stringify({ order: 'short' });
const long = JSON.stringify({ order: 'long', text: 'x'.repeat(501) });

async function open(): Promise<{ readonly storage: Storage; readonly apart: () => number }> {
  const filename = await temporaryFile();
  const storage = await openStorage({ filename, synchronous: 'normal' });
  await register(storage, 'me');
  const apart = (): number => {
    const database = new Database(filename, { readonly: true });
    const count = database.prepare('SELECT count(*) FROM romancy_inputs').pluck().get() as number;
    database.close();
    return count;
  };
  return { storage, apart };
}

async function inputsOf(storage: Storage, ...ids: readonly string[]): Promise<readonly (string | undefined)[]> {
  const records = await Promise.all(ids.map((id) => storage.instances.get(id)));
  return records.map((record) => record?.input);
}

const page = {
  ...{ status: undefined, workflowName: undefined, instanceId: undefined, startedAfter: undefined, startedBefore: undefined },
  ...{ limit: 10, after: undefined },
};

describe('inputs, short and long,', () => {
  it('come back from a start alone, from one beside others, and with a claim', async () => {
    const { storage, apart } = await open();
    const given = { a: short, b: long, c: short, d: long };
    const starts = Object.entries(given).map(([id, input]) => ({ ...start(id, false), input }));
    await storage.runs.commit(batch('me', { starts: starts.slice(0, 1) }));
    await storage.runs.commit(batch('me', { starts: starts.slice(1, 2) }));
    await storage.runs.commit(batch('me', { starts: starts.slice(2) }));
    expect(await inputsOf(storage, 'a', 'b', 'c', 'd')).toEqual(Object.values(given));
    const { claimed } = await storage.runs.claim(claimAll('me'));
    expect(Object.fromEntries(claimed.map(({ instanceId, input }) => [instanceId, input]))).toEqual(given);
    expect(apart()).toBe(2);
  });

  it('are found by what is in them', async () => {
    const { storage } = await open();
    await storage.runs.commit(
      batch('me', {
        starts: [
          { ...start('a'), input: short },
          { ...start('b'), input: long },
        ],
      }),
    );
    for (const [equals, id] of [
      ['short', 'a'],
      ['long', 'b'],
    ] as const) {
      const found = await storage.instances.list({ ...page, input: [{ path: ['order'], equals }] });
      expect(found.map(({ instanceId }) => instanceId)).toEqual([id]);
    }
  });

  it('of an event come to what it starts', async () => {
    const { storage } = await open();
    const starts = [{ topic: 'event:paid', workflowName: 'order' }];
    await storage.leases.register({ workerId: 'me', serviceName: 'tests', leaseMs: 60_000, workflowNames: ['order'], starts });
    for (const [id, input] of [
      ['1', short],
      ['2', long],
    ] as const) {
      await storage.messages.deliver({ ...incoming(id, 'event:paid'), starts: { input, idEnding: id } });
    }
    expect(await inputsOf(storage, 'order:1', 'order:2')).toEqual([short, long]);
  });

  it('stay with their part when the instance begins anew with another one, and go with it', async () => {
    const { storage, apart } = await open();
    await storage.runs.commit(batch('me', { starts: [{ ...start('a'), input: long }] }));
    for (const [part, input] of [short, long, long, short].entries()) {
      const seq = part + 1;
      const carried = {
        instanceId: 'a',
        seq,
        kind: 'carried_over',
        callId: 'recur',
        position: -1,
        data: '{}',
        dueAt: null,
      } as const;
      const recur: Settlement = {
        type: 'recur',
        instanceId: 'a',
        claim: seq,
        archiveId: `a~${seq}`,
        input,
        carried,
        keep: [],
        owned: true,
      };
      expect((await storage.runs.commit(batch('me', { settlements: [recur] }))).refused).toEqual([]);
    }
    expect(await inputsOf(storage, 'a~1', 'a~2', 'a~3', 'a~4', 'a')).toEqual([long, short, long, long, short]);
    expect(apart()).toBe(3);
    await storage.runs.commit(batch('me', { settlements: [{ ...complete('a'), claim: 5 }] }));
    const before = Date.now() + 1;
    await storage.retention.purge({
      instances: { completed: before, failed: before, cancelled: before, recurred: before },
      ...{ sentEvents: before, seenEvents: before, queuedMessages: before, mostQueued: 0, limit: 100 },
    });
    expect(await inputsOf(storage, 'a~1', 'a')).toEqual([undefined, undefined]);
    expect(apart()).toBe(0);
  });
});
