// Cases: an event starts the workflows that were registered as starting on it, once, whoever is there.
import { describe, expect, it } from 'vitest';
import type { IncomingMessage } from '../ports/index.js';
import { mailOf } from './message-stage.js';
import type { Bench, StorageHarness } from './storage-harness.js';
import { complete, newInstance } from './test-worker.js';

const topic = 'event:order.placed';

export function eventStartCases(bench: Bench): void {
  describe('workflows that start on an event', () => {
    it('start once for each event, with its data as their input', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker({ starts: [{ workflowName: 'order', topic }] });
      const event = starting(harness, 'e1');
      const delivery = await harness.deliver(event);
      const started = { instanceId: 'order:e1', workflowName: 'order' };
      expect(delivery).toMatchObject({ outcome: 'delivered', receivers: 0, started: [started] });
      expect(delivery.wakeups).toEqual([{ kind: 'workflow_resumable', ...started }]);
      expect(await harness.get('order:e1')).toMatchObject({
        status: 'pending',
        owner: null,
        workflowName: 'order',
        parentId: null,
      });
      expect(await harness.deliver(event)).toEqual({ outcome: 'duplicate', receivers: 0, started: [], wakeups: [] });
      expect(await worker.claim()).toMatchObject({
        claimed: [
          {
            instanceId: 'order:e1',
            input: '{"sku":"e1"}',
            isInputChecked: false,
            parentId: null,
            claim: 1,
            mail: [],
            history: [],
          },
        ],
      });
      await worker.settle(complete('order:e1'));
      expect((await harness.deliver(event)).outcome).toBe('duplicate');
      expect((await harness.deliver(starting(harness, 'e2'))).started).toHaveLength(1);
    });

    it('start one instance each, on their own topics', async () => {
      const harness = await bench.harness();
      await harness.worker({
        workflowNames: ['order', 'audit', 'other', 'none'],
        starts: [
          { workflowName: 'order', topic },
          { workflowName: 'order', topic: 'event:order.changed' },
          { workflowName: 'audit', topic },
          { workflowName: 'other', topic: 'event:Order.placed' },
        ],
      });
      const { started } = await harness.deliver(starting(harness, 'e'));
      expect(started.map(({ instanceId }) => instanceId).sort()).toEqual(['audit:e', 'order:e']);
      expect((await harness.deliver(starting(harness, 'f', { topic: 'event:order.changed' }))).started).toMatchObject([
        { instanceId: 'order:f' },
      ]);
    });

    it('start also when no worker is there, and then as registered last', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker({ starts: [{ workflowName: 'order', topic }] });
      await worker.retire();
      expect((await harness.deliver(starting(harness, 'e1'))).started).toHaveLength(1);
      const next = await harness.worker();
      expect(await next.claimIds()).toEqual(['order:e1']);
      expect((await harness.deliver(starting(harness, 'e2'))).started).toEqual([]);
      await (await harness.worker({ workflowNames: ['audit'], starts: [{ workflowName: 'audit', topic }] })).retire();
      await harness.worker({ workflowNames: ['unrelated'] });
      await next.register(undefined, [{ workflowName: 'order', topic }]);
      const { started } = await harness.deliver(starting(harness, 'e3'));
      expect(started.map(({ instanceId }) => instanceId).sort()).toEqual(['audit:e3', 'order:e3']);
    });

    it('start nothing when the event is for one instance, is not to start anything, or the id is taken', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker({ starts: [{ workflowName: 'order', topic }] });
      await worker.commit({ starts: [newInstance('one'), newInstance('order:taken', { input: '"mine"' })] });
      expect(await harness.deliver(starting(harness, 'e1', { to: { type: 'instance', instanceId: 'one' } }))).toMatchObject({
        receivers: 1,
        started: [],
      });
      expect((await harness.deliver({ topic })).started).toEqual([]);
      expect(await harness.deliver(starting(harness, 'taken'))).toMatchObject({ outcome: 'delivered', started: [], wakeups: [] });
      expect(await harness.get('order:taken')).toMatchObject({ owner: worker.workerId, input: '"mine"' });
    });

    it('start beside those who are subscribed', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker({ starts: [{ workflowName: 'order', topic }] });
      await worker.commit({ starts: [newInstance('one')], subscriptions: [{ instanceId: 'one', topic }] });
      const delivery = await harness.deliver(starting(harness, 'e'));
      expect(delivery).toMatchObject({ receivers: 1, started: [{ instanceId: 'order:e' }] });
      expect(delivery.wakeups.map(({ kind }) => kind).sort()).toEqual(['channel_message', 'workflow_resumable']);
      expect(await mailOf(harness, 'one', topic)).toHaveLength(1);
      expect(await mailOf(harness, 'order:e', topic)).toEqual([]);
    });

    it('keep others from the id that they have', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker({ starts: [{ workflowName: 'order', topic }] });
      await harness.deliver(starting(harness, 'e'));
      expect((await worker.start('order:e')).conflicts).toEqual(['order:e']);
    });

    it('start once when the event comes many times at once', async () => {
      const harness = await bench.harness();
      await harness.worker({ starts: [{ workflowName: 'order', topic }] });
      const storages = await Promise.all(Array.from({ length: 5 }, () => harness.open()));
      for (let round = 0; round < 5; round++) {
        const event = starting(harness, `e${round}`);
        const answers = await Promise.all(storages.map((storage) => storage.messages.deliver(event)));
        expect(answers.flatMap(({ started }) => started)).toHaveLength(1);
        expect(answers.filter(({ outcome }) => outcome === 'duplicate')).toHaveLength(4);
      }
    });
  });
}

function starting(harness: StorageHarness, id: string, more: Partial<IncomingMessage> = {}): IncomingMessage {
  return harness.event({ messageId: id, topic, starts: { input: `{"sku":"${id}"}`, idEnding: id }, ...more });
}
