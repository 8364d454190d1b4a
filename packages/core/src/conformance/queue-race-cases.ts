// Cases: whoever comes at the same moment, a message of a competing channel is in exactly one place: the queue, one mailbox, or a history.
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
import { queueStage } from './queue-stage.js';
import type { Bench } from './storage-harness.js';
import { complete, newEntry, newInstance, park, type TestWorker } from './test-worker.js';

const seek = { type: 'seek', topic } as const;
const unseek = { type: 'unseek', topic } as const;
const unsubscribe = { type: 'unsubscribe', topic } as const;

export function queueRaceCases(bench: Bench): void {
  describe('races for a competing channel', () => {
    it('between a publisher and one who seeks: he has it afterwards', async () => {
      const { harness, worker } = await queueStage(bench, ['a']);
      const outside = await harness.open();
      for (let round = 0; round < bench.options.parkRaces; round++) {
        await Promise.all([outside.messages.deliver(harness.event(newMessage(round))), step(worker, 'a', seek)]);
        const mail = await worker.storage.runs.mail({ instanceId: 'a', topic, afterMailId: null, limit: 9 });
        expect(mail.map(({ data }) => Number(data))).toEqual([round]);
        await worker.commit({ takenMail: mail.map(({ mailId }) => ({ instanceId: 'a', mailId })) });
      }
    });

    it('between one who publishes from within a workflow and one who seeks and is put away: he is woken', async () => {
      const { harness, worker } = await queueStage(bench, ['a']);
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
      const { harness, worker } = await queueStage(bench, ['a']);
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
      const { harness, worker } = await queueStage(bench, ['collector']);
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
      const { harness } = await queueStage(bench, []);
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
