// Cases: a message of a competing channel is in exactly one place: the queue, one mailbox, or a history.
import { describe, expect, it } from 'vitest';
import {
  drain,
  mailOf,
  newMessage,
  publish,
  published,
  startSubscribed,
  step,
  stepOf,
  takenMail,
  topic,
} from './message-stage.js';
import type { Bench, StorageHarness } from './storage-harness.js';
import { complete, newEntry, newInstance, park, type TestWorker } from './test-worker.js';

const seek = { type: 'seek', topic } as const;
const unseek = { type: 'unseek', topic } as const;
const unsubscribe = { type: 'unsubscribe', topic } as const;

export function queueCases(bench: Bench): void {
  const stage = async (ids: readonly string[]): Promise<{ readonly harness: StorageHarness; readonly worker: TestWorker }> => {
    const harness = await bench.harness();
    const worker = await harness.worker();
    await startSubscribed(worker, ids, { mode: 'competing' });
    return { harness, worker };
  };

  describe('messages of a competing channel', () => {
    it('wait until somebody seeks, and go to one, the oldest first', async () => {
      const { harness, worker } = await stage(['a', 'b']);
      for (const n of [1, 2, 3]) expect(await publish(harness, n)).toMatchObject({ outcome: 'delivered', receivers: 0 });
      expect([await mailOf(harness, 'a'), await mailOf(harness, 'b')]).toEqual([[], []]);
      await step(worker, 'a', seek);
      await step(worker, 'b', seek);
      expect([await mailOf(harness, 'a'), await mailOf(harness, 'b')]).toEqual([[1], [2]]);
      expect(await drain(harness, worker, 'b')).toEqual([2, 3]);
    });

    it('go to those who seek already, the longest-seeking first; each seek brings one', async () => {
      const { harness, worker } = await stage(['a', 'b', 'c']);
      for (const id of ['c', 'a', 'b', 'c']) await step(worker, id, seek);
      for (const n of [1, 2, 3]) expect((await publish(harness, n)).receivers).toBe(1);
      expect((await publish(harness, 4)).receivers).toBe(0);
      expect(await mailOf(harness, 'c')).toEqual([1]);
      expect(await mailOf(harness, 'a')).toEqual([2]);
      expect(await mailOf(harness, 'b')).toEqual([3]);
    });

    it('say that they come from a queue; those for one instance do not', async () => {
      const { harness, worker } = await stage(['a']);
      await step(worker, 'a', seek);
      await publish(harness, 'queued');
      await publish(harness, 'sent', { to: { type: 'instance', instanceId: 'a' } });
      expect((await worker.signals('a'))[0]?.mail).toMatchObject([
        { data: '"queued"', isQueued: true },
        { data: '"sent"', isQueued: false },
      ]);
      const mail = await worker.storage.runs.mail({ instanceId: 'a', topic, afterMailId: null, limit: 9 });
      expect(mail.map(({ isQueued }) => isQueued)).toEqual([true, false]);
    });

    it('that came before anybody subscribed are his backlog', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start('sender');
      await publish(harness, 1);
      await step(worker, 'sender', published(2), published(3));
      await startSubscribed(worker, ['a'], { mode: 'competing' });
      expect(await drain(harness, worker, 'a')).toEqual([1, 2, 3]);
    });

    it.each(['broadcast', 'direct'] as const)('that came before the channel was made %s are dropped', async (mode) => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await publish(harness, 1);
      await startSubscribed(worker, ['a'], { mode });
      await step(worker, 'a', seek);
      expect(await mailOf(harness, 'a')).toEqual([]);
      await publish(harness, 2);
      expect(await mailOf(harness, 'a')).toEqual(mode === 'broadcast' ? [2] : []);
    });

    it('are sought by subscribers alone', async () => {
      const { harness, worker } = await stage(['a']);
      await worker.start('stranger');
      await step(worker, 'stranger', seek);
      expect((await publish(harness, 1)).receivers).toBe(0);
      expect(await drain(harness, worker, 'a')).toEqual([1]);
    });

    it('make their receiver claimable, or keep him from being put away', async () => {
      const { harness, worker } = await stage(['a', 'b']);
      await worker.commit({ ...stepOf('a', [seek]), settlements: [park('a')] });
      await publish(harness, 1);
      expect(await worker.claimOne('a')).toMatchObject({ mail: [{ data: '1' }] });
      await publish(harness, 2);
      // It finds one in the commit that would put it away.
      expect(await worker.commit({ ...stepOf('b', [seek]), settlements: [park('b')] })).toMatchObject({ refused: ['b'] });
      expect((await worker.signals('b'))[0]?.mail).toMatchObject([{ data: '2' }]);
    });

    it('are sought on while the process changes', async () => {
      const { harness, worker } = await stage(['a']);
      const next = await harness.worker();
      await step(worker, 'a', seek);
      await worker.retire();
      expect(await next.claimIds()).toEqual(['a']);
      expect((await publish(harness, 1)).receivers).toBe(1);
      expect(await mailOf(harness, 'a')).toEqual([1]);
    });

    it('are sent and sought in one commit in the order of the port, not of the list', async () => {
      const { harness, worker } = await stage(['a']);
      await step(worker, 'a', seek, published(1));
      expect(await mailOf(harness, 'a')).toEqual([1]);
      await worker.commit({ takenMail: await takenMail(harness, 'a') });
      await step(worker, 'a', seek, unseek);
      expect((await publish(harness, 2)).receivers).toBe(1);
    });
  });

  describe('messages of a competing channel that were got and not taken', () => {
    const endings = [
      { name: 'unseek', batch: () => stepOf('a', [unseek]) },
      { name: 'unsubscribe', batch: () => stepOf('a', [unsubscribe]) },
      { name: 'finish', batch: () => ({ settlements: [complete('a')] }) },
    ];

    it.each(endings)('go back into their old place: $name', async ({ batch }) => {
      const { harness, worker } = await stage(['a', 'b']);
      await step(worker, 'a', seek);
      for (const n of [1, 2, 3]) await publish(harness, n);
      expect(await mailOf(harness, 'a')).toEqual([1]);
      await worker.commit(batch());
      expect(await mailOf(harness, 'a')).toEqual([]);
      expect(await drain(harness, worker, 'b')).toEqual([1, 2, 3]);
    });

    it.each(endings)('go on at once to who seeks already: $name', async ({ batch }) => {
      const { harness, worker } = await stage(['a', 'b', 'c']);
      for (const id of ['a', 'b']) await step(worker, id, seek);
      await worker.settle(park('b'));
      await publish(harness, 1);
      expect([await mailOf(harness, 'a'), await mailOf(harness, 'b')]).toEqual([[1], []]);
      await worker.commit(batch());
      expect([await mailOf(harness, 'a'), await mailOf(harness, 'b')]).toEqual([[], [1]]);
      expect(await worker.claimOne('b')).toMatchObject({ mail: [{ data: '1' }] });
      expect(await drain(harness, worker, 'c')).toEqual([]);
    });

    it.each(endings)('leave nobody who seeks behind: $name', async ({ batch }) => {
      const { harness, worker } = await stage(['a', 'b']);
      await step(worker, 'a', seek);
      await worker.commit(batch());
      expect((await publish(harness, 1)).receivers).toBe(0);
      expect(await mailOf(harness, 'a')).toEqual([]);
      expect(await drain(harness, worker, 'b')).toEqual([1]);
    });

    it.each(endings)('do not go back when they are taken in the same commit: $name', async ({ batch }) => {
      const { harness, worker } = await stage(['a', 'b']);
      await step(worker, 'a', seek);
      await publish(harness, 1);
      await worker.commit({ ...batch(), takenMail: await takenMail(harness, 'a') });
      expect(await drain(harness, worker, 'b')).toEqual([]);
    });

    it('go back between what came before and what came after', async () => {
      const { harness, worker } = await stage(['a', 'b', 'c', 'd']);
      for (const id of ['a', 'b', 'c']) await step(worker, id, seek);
      for (const n of [1, 2, 3, 4]) await publish(harness, n);
      // Not in their order.
      for (const id of ['c', 'a']) await step(worker, id, unseek);
      expect(await drain(harness, worker, 'd')).toEqual([1, 3, 4]);
      expect(await mailOf(harness, 'b')).toEqual([2]);
    });

    it('are not taken away once more by a commit that is sent again', async () => {
      const { harness, worker } = await stage(['a']);
      await step(worker, 'a', seek);
      await publish(harness, 1);
      const taking = worker.batch({ takenMail: await takenMail(harness, 'a') });
      await step(worker, 'a', unseek);
      await step(worker, 'a', seek);
      // The same message, but another piece of mail.
      await worker.storage.runs.commit(taking);
      expect(await mailOf(harness, 'a')).toEqual([1]);
    });

    it('go back alone: what was sent to the instance itself stays, until it unsubscribes', async () => {
      const { harness, worker } = await stage(['a', 'b']);
      await step(worker, 'a', seek);
      await publish(harness, 'queued');
      await publish(harness, 'sent', { to: { type: 'instance', instanceId: 'a' } });
      await step(worker, 'a', unseek);
      expect(await mailOf(harness, 'a')).toEqual(['sent']);
      await step(worker, 'a', unsubscribe);
      expect(await mailOf(harness, 'a')).toEqual([]);
      expect(await drain(harness, worker, 'b')).toEqual(['queued']);
    });
  });

  queueRaces(bench, stage);
}

function queueRaces(
  bench: Bench,
  stage: (ids: readonly string[]) => Promise<{ readonly harness: StorageHarness; readonly worker: TestWorker }>,
): void {
  describe('races for a competing channel', () => {
    it('between a publisher and one who seeks: he has it afterwards', async () => {
      const { harness, worker } = await stage(['a']);
      const outside = await harness.open();
      for (let round = 0; round < bench.options.parkRaces; round++) {
        await Promise.all([outside.messages.deliver(harness.event(newMessage(round))), step(worker, 'a', seek)]);
        const mail = await worker.storage.runs.mail({ instanceId: 'a', topic, afterMailId: null, limit: 9 });
        expect(mail.map(({ data }) => Number(data))).toEqual([round]);
        await worker.commit({ takenMail: mail.map(({ mailId }) => ({ instanceId: 'a', mailId })) });
      }
    });

    it('between one who publishes from within a workflow and one who seeks and is put away: he is woken', async () => {
      const { harness, worker } = await stage(['a']);
      const other = await harness.worker({ workflowNames: ['sender'] });
      await other.start('sender', { workflowName: 'sender' });
      for (let round = 0, claim = 1; round < Math.ceil(bench.options.parkRaces / 4); round++) {
        const [, settled] = await Promise.all([
          step(other, 'sender', published(round)),
          worker.commit({ ...stepOf('a', [seek]), settlements: [{ ...park('a'), claim }] }),
        ]);
        if (settled.refused.length === 0) claim = (await worker.claimOne('a')).claim;
        expect(await mailOf(harness, 'a')).toEqual([round]);
        await worker.commit({ takenMail: await takenMail(harness, 'a') });
        await worker.signals('a');
      }
    });

    it('between two who seek and one message: one has it, the other gets the next', async () => {
      const { harness, worker } = await stage(['a']);
      const other = await harness.worker();
      await startSubscribed(other, ['b'], { mode: 'competing' });
      for (let round = 0; round < 60; round++) {
        await Promise.all([step(worker, 'a', seek), publish(harness, round), step(other, 'b', seek)]);
        const one = [...(await mailOf(harness, 'a')), ...(await mailOf(harness, 'b'))];
        expect(one).toEqual([round]);
        await publish(harness, 'next');
        const both = [await mailOf(harness, 'a'), await mailOf(harness, 'b')];
        expect(both.map((mail) => mail.length)).toEqual([1, 1]);
        await worker.commit({ takenMail: await takenMail(harness, 'a') });
        await other.commit({ takenMail: await takenMail(harness, 'b') });
      }
    });

    it('between the end of one who seeks and a message: it is not lost', async () => {
      const { harness, worker } = await stage(['collector']);
      for (let round = 0; round < 60; round++) {
        const id = `one-${round}`;
        await worker.commit({
          starts: [newInstance(id)],
          entries: [newEntry(id, 1)],
          effects: [{ ...seek, instanceId: id, seq: 1 }],
          subscriptions: [{ instanceId: id, topic, mode: 'competing' }],
        });
        const ending = round % 2 === 0 ? { settlements: [complete(id)] } : stepOf(id, [unsubscribe]);
        await Promise.all([publish(harness, round), worker.commit(ending)]);
        expect(await mailOf(harness, id)).toEqual([]);
        expect(await drain(harness, worker, 'collector')).toEqual([round]);
      }
    });

    it('of many publishers and many who seek: each message is taken once', async () => {
      const { harness } = await stage([]);
      const count = 60;
      const workers = await Promise.all([0, 1, 2, 3].map(() => harness.worker()));
      const taken: unknown[] = [];
      const consume = async (worker: TestWorker, id: string): Promise<void> => {
        await startSubscribed(worker, [id], { mode: 'competing' });
        while (taken.length < count) {
          await step(worker, id, seek);
          const { runs } = worker.storage;
          const mail = await runs.mail({ instanceId: id, topic, afterMailId: null, limit: 9 });
          const batch = { takenMail: mail.map(({ mailId }) => ({ instanceId: id, mailId })) };
          // Now and then it gives up, and what came meanwhile must not be lost.
          await worker.commit(mail.length === 0 ? stepOf(id, [unseek]) : batch);
          taken.push(...mail.map(({ data }) => Number(data)));
          await new Promise<void>((resolve) => void setImmediate(resolve));
        }
        await step(worker, id, unseek);
      };
      const send = async (worker: TestWorker, first: number): Promise<void> => {
        for (let n = first; n < count; n += 2) await worker.storage.messages.deliver(harness.event(newMessage(n)));
      };
      await Promise.all([
        send(workers[0]!, 0),
        send(workers[1]!, 1),
        ...workers.map((worker, index) => consume(worker, `consumer-${index}`)),
      ]);
      expect([...taken].sort((x, y) => Number(x) - Number(y))).toEqual(Array.from({ length: count }, (_, n) => n));
    });

    it('of commits that touch several channels and instances in opposite orders: all come to an end', async () => {
      const harness = await bench.harness();
      const [worker, other] = [await harness.worker(), await harness.worker()];
      const topics = ['channel:x', 'channel:y'];
      for (const each of topics) await worker.storage.messages.fixMode({ topic: each, mode: 'competing' });
      const sides = [
        { by: worker, ids: ['a', 'b'], order: topics },
        { by: other, ids: ['d', 'c'], order: [...topics].reverse() },
      ];
      for (const { by, ids } of sides) {
        await by.commit({
          starts: ids.map((id) => newInstance(id)),
          subscriptions: ids.flatMap((instanceId) =>
            topics.map((each) => ({ instanceId, topic: each, mode: 'competing' as const })),
          ),
        });
      }
      const all = ['a', 'b', 'c', 'd'];
      for (let round = 0; round < 20; round++) {
        await Promise.all(
          sides.map(({ by, ids, order }, side) => {
            const targets = side === 0 ? all : [...all].reverse();
            const messages = [
              ...order.map((each) => published(round, { topic: each })),
              ...targets.map((instanceId) => published(round, { topic: 'channel:z', to: { type: 'instance', instanceId } })),
            ];
            const parts = ids.map((id) =>
              stepOf(id, [...messages, ...order.map((each) => ({ type: 'seek', topic: each }) as const)]),
            );
            return by.commit({
              entries: parts.flatMap(({ entries }) => entries),
              effects: parts.flatMap(({ effects }) => effects),
            });
          }),
        );
      }
      for (const id of all) expect(await mailOf(harness, id, 'channel:z')).toHaveLength(80);
      // Each seek has brought one: what was taken by nobody is in a mailbox or in the queue.
      for (const each of topics) {
        const got = await Promise.all(all.map((id) => mailOf(harness, id, each)));
        expect(got.flat()).toHaveLength(80);
      }
    });
  });
}
