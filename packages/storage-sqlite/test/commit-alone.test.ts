// The commit of what a run did that has nobody beside it comes to the same as that of a whole batch.
import { LeaseLostError, type Settlement, type Storage } from '@romancy/core/ports';
import { temporaryFile } from '@romancy/test-support';
import { describe, expect, it } from 'vitest';
import { batch, complete, entry, incoming, openStorage, register, start } from './local-storage.js';

async function open(): Promise<Storage> {
  const storage = await openStorage({ filename: await temporaryFile(), synchronous: 'normal' });
  await register(storage, 'me');
  return storage;
}

async function seqs(storage: Storage, instanceId: string): Promise<readonly number[]> {
  const history = await storage.instances.history({ instanceId, afterSeq: 0, limit: 10 });
  return history.map(({ seq }) => seq);
}

async function statusOf(storage: Storage, instanceId: string): Promise<string | undefined> {
  return (await storage.instances.get(instanceId))?.status;
}

/** The last entry of a run with its end. */
const last = { entries: [entry('a', 1)], settlements: [complete('a')] };

describe('a single start', () => {
  it('takes place once, and is a conflict for another start of its id', async () => {
    const storage = await open();
    for (let time = 0; time < 2; time++) {
      expect(await storage.runs.commit(batch('me', { starts: [start('a')] }))).toMatchObject({ conflicts: [], refused: [] });
    }
    const other = { ...start('a'), input: '2', startToken: 'another' };
    expect((await storage.runs.commit(batch('me', { starts: [other] }))).conflicts).toEqual(['a']);
    expect(await storage.instances.get('a')).toMatchObject({ status: 'running', owner: 'me', input: start('a').input });
  });

  it('of a worker that is not alive does not', async () => {
    const storage = await open();
    await expect(storage.runs.commit(batch('other', { starts: [start('a')] }))).rejects.toThrow(LeaseLostError);
    expect(await statusOf(storage, 'a')).toBeUndefined();
  });
});

describe('a last entry with the end', () => {
  it('takes place once', async () => {
    const storage = await open();
    await storage.runs.commit(batch('me', { starts: [start('a')] }));
    for (let time = 0; time < 2; time++) {
      expect(await storage.runs.commit(batch('me', last))).toMatchObject({ conflicts: [], refused: [], undelivered: [] });
    }
    expect(await storage.instances.get('a')).toMatchObject({ status: 'completed', owner: null, output: '1' });
    expect(await seqs(storage, 'a')).toEqual([1]);
  });

  it('takes place when the entry is there already', async () => {
    const storage = await open();
    await storage.runs.commit(batch('me', { starts: [start('a')], entries: [entry('a', 1)] }));
    expect((await storage.runs.commit(batch('me', last))).refused).toEqual([]);
    expect(await statusOf(storage, 'a')).toBe('completed');
  });

  it('of a worker that is not alive does not', async () => {
    const storage = await open();
    await register(storage, 'other');
    await storage.runs.commit(batch('other', { starts: [start('a')] }));
    await storage.leases.retire({ workerId: 'other' });
    await expect(storage.runs.commit(batch('other', last))).rejects.toThrow(LeaseLostError);
    expect(await statusOf(storage, 'a')).toBe('pending');
    expect(await seqs(storage, 'a')).toEqual([]);
  });

  it('of an earlier claim changes nothing about the instance', async () => {
    const storage = await open();
    await storage.runs.commit(batch('me', { starts: [start('a')] }));
    const late = { ...complete('a'), claim: 7 } as Settlement;
    expect((await storage.runs.commit(batch('me', { ...last, settlements: [late] }))).refused).toEqual([]);
    expect(await statusOf(storage, 'a')).toBe('running');
  });

  it('is refused once a cancellation was requested, and the entry is kept', async () => {
    const storage = await open();
    await storage.runs.commit(batch('me', { starts: [start('a')] }));
    await storage.instances.requestCancel({ instanceId: 'a', reason: null });
    expect((await storage.runs.commit(batch('me', last))).refused).toEqual(['a']);
    expect(await statusOf(storage, 'a')).toBe('running');
    expect(await seqs(storage, 'a')).toEqual([1]);
  });

  it('leaves no mail, no subscription and no membership behind', async () => {
    const storage = await open();
    await storage.runs.commit(
      batch('me', {
        starts: [start('a'), start('b'), start('c')],
        entries: [entry('b', 1)],
        subscriptions: [{ instanceId: 'a', topic: 'event:paid' }],
        effects: [{ type: 'join', instanceId: 'b', seq: 1, group: 'all' }],
      }),
    );
    await storage.messages.deliver(incoming('1', 'event:paid', { to: { type: 'instance', instanceId: 'c' } }));
    for (const id of ['a', 'b', 'c']) {
      const { refused } = await storage.runs.commit(batch('me', { entries: [entry(id, 2)], settlements: [complete(id)] }));
      expect(refused).toEqual([]);
      expect(await statusOf(storage, id)).toBe('completed');
    }
    expect(await storage.messages.members('all')).toEqual([]);
    expect(await storage.runs.mail({ instanceId: 'c', topic: 'event:paid', afterMailId: null, limit: 10 })).toEqual([]);
    const deliveries = await storage.messages.deliver(incoming('2', 'event:paid'));
    expect(deliveries).toMatchObject({ receivers: 0 });
  });

  it('tells its parent', async () => {
    const storage = await open();
    await storage.runs.commit(batch('me', { starts: [start('a'), start('parent')] }));
    const to = { type: 'instance', instanceId: 'parent' } as const;
    const end = { ...complete('a'), messages: [{ messageId: 'end', topic: 'child:a', data: '1', to }] } as Settlement;
    await storage.runs.commit(batch('me', { ...last, settlements: [end] }));
    const mail = await storage.runs.mail({ instanceId: 'parent', topic: 'child:a', afterMailId: null, limit: 10 });
    expect(mail).toHaveLength(1);
  });
});
