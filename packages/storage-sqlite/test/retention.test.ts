// Parts of an instance that recurred, and what becomes of the numbers of instances that were removed.
import type { RetentionRequest, Settlement, Storage } from '@romancy/core/ports';
import { ManualClock } from '@romancy/core/testing';
import { temporaryFile } from '@romancy/test-support';
import { expect, it } from 'vitest';
import { batch, complete, entry, openStorage, register, start } from './local-storage.js';

const clock = new ManualClock();

async function open(): Promise<Storage> {
  const storage = await openStorage({ filename: await temporaryFile(), synchronous: 'normal' }, { clock });
  await register(storage, 'me');
  return storage;
}

function recurrence(instanceId: string, part: number): Settlement {
  return {
    ...{
      type: 'recur',
      instanceId,
      claim: part,
      archiveId: `${instanceId}~${part}`,
      input: `${part + 1}`,
      keep: [],
      owned: true,
    },
    carried: { ...entry(instanceId, part * 10), kind: 'carried_over' },
  };
}

function everything(instances: Partial<RetentionRequest['instances']>): RetentionRequest {
  const before = clock.now() + 1;
  return {
    instances: { completed: before, failed: before, cancelled: before, recurred: before, ...instances },
    ...{ sentEvents: before, seenEvents: before, queuedMessages: before, mostQueued: 0, limit: 10 },
  };
}

async function seqs(storage: Storage, instanceId: string): Promise<readonly number[]> {
  const history = await storage.instances.history({ instanceId, afterSeq: 0, limit: 10 });
  expect(history.every((one) => one.instanceId === instanceId)).toBe(true);
  return history.map(({ seq }) => seq);
}

it('an instance that gets the number of one that was removed finds nothing of it', async () => {
  const storage = await open();
  await storage.runs.commit(batch('me', { starts: [start('a')], entries: [entry('a', 1), entry('a', 2)] }));
  await storage.runs.commit(batch('me', { settlements: [recurrence('a', 1)] }));
  await storage.runs.commit(batch('me', { entries: [entry('a', 11)], settlements: [{ ...complete('a'), claim: 2 }] }));
  // What it was before is kept, with its history: so the number under which that lies is not free.
  expect(await storage.retention.purge(everything({ recurred: null }))).toMatchObject({ instances: 1, more: false });
  await storage.runs.commit(batch('me', { starts: [start('a')], entries: [entry('a', 1), entry('a', 3)] }));
  expect(await seqs(storage, 'a')).toEqual([1, 3]);
  expect(await seqs(storage, 'a~1')).toEqual([1, 2]);
  await storage.runs.commit(batch('me', { settlements: [complete('a')] }));
  expect(await storage.retention.purge(everything({}))).toMatchObject({ instances: 2, more: false });
  expect(await storage.instances.get('a~1')).toBeUndefined();

  await storage.runs.commit(batch('me', { starts: [start('b')], entries: [entry('b', 1)] }));
  expect(await seqs(storage, 'b')).toEqual([1]);
  expect(await storage.instances.get('b')).toMatchObject({ input: '{"item":1}', continuedFrom: null });
});

it('each part of a chain reads its own history', async () => {
  const storage = await open();
  await storage.runs.commit(batch('me', { starts: [start('a')], entries: [entry('a', 1), entry('a', 2)] }));
  await storage.runs.commit(batch('me', { settlements: [recurrence('a', 1)] }));
  await storage.runs.commit(batch('me', { entries: [entry('a', 11)], settlements: [recurrence('a', 2)] }));
  expect(await seqs(storage, 'a~1')).toEqual([1, 2]);
  expect(await seqs(storage, 'a~2')).toEqual([10, 11]);
  expect(await seqs(storage, 'a')).toEqual([20]);
  const parts = await Promise.all(['a~1', 'a~2', 'a'].map((id) => storage.instances.get(id)));
  expect(parts.map((part) => [part?.status, part?.input, part?.continuedAs, part?.continuedFrom])).toEqual([
    ['recurred', '{"item":1}', 'a', null],
    ['recurred', '2', 'a', 'a~1'],
    ['running', '3', null, 'a~2'],
  ]);
});

it('a long history goes in slices, between which others write', async () => {
  const storage = await open();
  const entries = Array.from({ length: 25 }, (_, index) => entry('a', index + 1));
  await storage.runs.commit(batch('me', { starts: [start('a')], entries, settlements: [complete('a')] }));
  let purged: unknown;
  const purging = storage.retention.purge(everything({})).then((result) => (purged = result));
  const firsts: number[] = [];
  while (purged === undefined) {
    await storage.messages.fixMode({ topic: 'channel:x', mode: 'broadcast' });
    firsts.push(...(await seqs(storage, 'a')).slice(0, 1));
  }
  expect(await purging).toMatchObject({ instances: 1 });
  expect(await storage.instances.get('a')).toBeUndefined();
  // Ten went at a time.
  expect(firsts.some((first) => first === 11 || first === 21)).toBe(true);
});
