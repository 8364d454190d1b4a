// Cases: events reach whom they are for, once.
import { describe, expect, it } from 'vitest';
import type { Bench } from './storage-harness.js';
import { complete, newInstance, park } from './test-worker.js';

const hour = 3_600_000;

export function eventCases(bench: Bench): void {
  describe('events', () => {
    it('reach every subscriber of their topic once, and nobody else', async () => {
      const harness = await bench.harness();
      const [worker, other] = [await harness.worker(), await harness.worker()];
      await worker.commit({
        starts: ['a', 'b', 'elsewhere', 'nowhere'].map((id) => newInstance(id)),
        subscriptions: [
          { instanceId: 'a', topic: 'event:paid' },
          { instanceId: 'b', topic: 'event:paid' },
          { instanceId: 'b', topic: 'event:paid' },
          { instanceId: 'elsewhere', topic: 'event:Paid' },
        ],
      });
      await worker.commit({ subscriptions: [{ instanceId: 'a', topic: 'event:paid' }] });
      await other.commit({ starts: [newInstance('c')], subscriptions: [{ instanceId: 'c', topic: 'event:paid' }] });
      expect(await harness.deliver({ topic: 'event:paid', data: '"x"' })).toMatchObject({ outcome: 'delivered', receivers: 3 });
      const mail = (await worker.signals(['a', 'b', 'elsewhere', 'nowhere'])).map((signals) => [
        signals.instanceId,
        signals.mail.map(({ data }) => data),
      ]);
      expect(Object.fromEntries(mail)).toEqual({ a: ['"x"'], b: ['"x"'], elsewhere: [], nowhere: [] });
      expect((await other.signals('c'))[0]?.mail).toHaveLength(1);
    });

    it('without a subscriber are delivered to nobody', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start('one');
      expect(await harness.deliver()).toEqual({ outcome: 'delivered', receivers: 0, started: [], wakeups: [] });
      await worker.commit({ subscriptions: [{ instanceId: 'one', topic: 'event:paid' }] });
      expect((await worker.signals('one'))[0]?.mail).toEqual([]);
    });

    it('reach a subscription from its commit on, also in the batch that starts and parks the instance', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.commit({
        starts: [newInstance('one')],
        subscriptions: [{ instanceId: 'one', topic: 'event:paid' }],
        settlements: [park('one', (await worker.now()) + hour)],
      });
      expect((await harness.deliver()).receivers).toBe(1);
      expect((await worker.claimOne('one')).mail).toHaveLength(1);
    });

    it('for one instance reach that one alone, subscribed or not', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start(['target', 'subscriber']);
      await worker.commit({ subscriptions: [{ instanceId: 'subscriber', topic: 'event:paid' }] });
      expect(await harness.deliver({ targetInstanceId: 'target' })).toMatchObject({ outcome: 'delivered', receivers: 1 });
      expect((await worker.signals('target'))[0]?.mail).toHaveLength(1);
      expect((await worker.signals('subscriber'))[0]?.mail).toEqual([]);
    });

    it('make an instance that nobody owns claimable at once, whatever it waits for', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start(['event', 'timer', 'retry']);
      const wakeAt = (await worker.now()) + hour;
      await worker.settle(park('event'), park('timer', wakeAt), {
        type: 'park',
        instanceId: 'retry',
        claim: 1,
        status: 'waiting_for_retry',
        wakeAt,
      });
      for (const targetInstanceId of ['event', 'timer', 'retry']) {
        expect(await harness.deliver({ targetInstanceId })).toMatchObject({ outcome: 'delivered' });
        const record = await harness.get(targetInstanceId);
        expect(record.wakeAt).not.toBeNull();
        expect(record.wakeAt!).toBeLessThan(wakeAt);
      }
      expect([...(await worker.claimIds())].sort()).toEqual(['event', 'retry', 'timer']);
    });

    it('leave an instance that is due already at its place', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start(['first', 'second']);
      const now = await worker.now();
      await worker.settle(park('first', now - 2000), park('second', now - 1000));
      await harness.deliver({ targetInstanceId: 'first' });
      expect(await worker.claimIds()).toEqual(['first', 'second']);
    });

    it('wake those who are to look: the answer carries ids for the scheduler', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start('one');
      await worker.settle(park('one'));
      const event = harness.event({ targetInstanceId: 'one' });
      const { wakeups } = await harness.deliver(event);
      expect(wakeups.length).toBeGreaterThan(0);
      for (const wakeup of wakeups) {
        if (wakeup.kind === 'channel_message') expect(wakeup).toMatchObject({ channelName: 'paid', targetInstanceId: 'one' });
        else expect(wakeup).toMatchObject({ kind: 'workflow_resumable', instanceId: 'one', workflowName: 'order' });
      }
      expect((await harness.deliver(event)).wakeups).toEqual([]);
    });

    it('of the same source and id have one effect', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.commit({ starts: [newInstance('one')], subscriptions: [{ instanceId: 'one', topic: 'event:paid' }] });
      const event = harness.event();
      expect((await harness.deliver(event)).outcome).toBe('delivered');
      expect((await harness.deliver({ ...event, data: '"changed"' })).outcome).toBe('duplicate');
      expect((await harness.deliver({ ...event, topic: 'event:other', targetInstanceId: 'one' })).outcome).toBe('duplicate');
      expect((await worker.signals('one'))[0]?.mail.map(({ data }) => data)).toEqual([event.data]);
    });

    it('are told apart by source and id together', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start('one');
      const identities = [
        ['a', 'bc'],
        ['ab', 'c'],
        ['a', 'b'],
        ['A', 'b'],
        ['b', 'a'],
        ['/x', 'ü'],
      ] as const;
      for (const [source, messageId] of identities) {
        expect((await harness.deliver({ source, messageId, targetInstanceId: 'one' })).outcome).toBe('delivered');
      }
      expect((await worker.signals('one'))[0]?.mail).toHaveLength(identities.length);
    });

    it('of the same id sent many times at once have one effect', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.commit({ starts: [newInstance('one')], subscriptions: [{ instanceId: 'one', topic: 'event:paid' }] });
      const storages = await Promise.all(Array.from({ length: 5 }, () => harness.open()));
      const event = harness.event();
      const outcomes = await Promise.all(
        storages.flatMap((storage) => [storage.messages.deliver(event), storage.messages.deliver(event)]),
      );
      expect(outcomes.filter(({ outcome }) => outcome === 'delivered')).toHaveLength(1);
      expect(outcomes.filter(({ outcome }) => outcome === 'duplicate')).toHaveLength(9);
      expect((await worker.signals('one'))[0]?.mail).toHaveLength(1);
    });

    it('without a subscriber are seen all the same', async () => {
      const harness = await bench.harness();
      const event = harness.event();
      expect((await harness.deliver(event)).outcome).toBe('delivered');
      expect((await harness.deliver(event)).outcome).toBe('duplicate');
    });

    it('for an unknown instance are refused, and taken when it is there', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      const event = harness.event({ targetInstanceId: 'later' });
      expect(await harness.deliver(event)).toMatchObject({ outcome: 'unknown', wakeups: [] });
      await worker.start('later');
      expect(await harness.deliver(event)).toMatchObject({ outcome: 'delivered', receivers: 1 });
    });

    it('for an instance that has ended are refused, and not taken as seen', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start(['ended', 'open']);
      await worker.settle(complete('ended'));
      const event = harness.event({ targetInstanceId: 'ended' });
      expect(await harness.deliver(event)).toMatchObject({ outcome: 'finished', wakeups: [] });
      expect(await harness.deliver(event)).toMatchObject({ outcome: 'finished' });
      expect(await harness.deliver({ ...event, targetInstanceId: 'open' })).toMatchObject({ outcome: 'delivered' });
    });

    it('that have ended their target are duplicates when they are sent again', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start('one');
      const event = harness.event({ targetInstanceId: 'one' });
      await harness.deliver(event);
      await worker.settle(complete('one'));
      expect((await harness.deliver(event)).outcome).toBe('duplicate');
    });

    it('delivered by many at once are all in the mail, each once', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.commit({
        starts: ['a', 'b', 'c'].map((id) => newInstance(id)),
        subscriptions: ['a', 'b', 'c'].map((instanceId) => ({ instanceId, topic: 'event:paid' })),
      });
      const storages = await Promise.all(Array.from({ length: 4 }, () => harness.open()));
      const sent = Array.from({ length: 80 }, (_, index) => harness.event({ data: String(index) }));
      await Promise.all(sent.map((event, index) => storages[index % 4]!.messages.deliver(event)));
      for (const signals of await worker.signals(['a', 'b', 'c'])) {
        expect(signals.mail.map(({ data }) => Number(data)).sort((x, y) => x - y)).toEqual(sent.map((_, index) => index));
      }
    });

    it('and the end of a receiver at once: either it got the mail first or the event is refused', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      for (let round = 0; round < 40; round++) {
        const instanceId = `one-${round}`;
        await worker.start(instanceId);
        const [delivered] = await Promise.all([
          harness.deliver({ targetInstanceId: instanceId }),
          worker.settle(complete(instanceId)),
        ]);
        expect(['delivered', 'finished']).toContain(delivered.outcome);
        const left = await worker.storage.runs.mail({ instanceId, topic: 'event:paid', afterMailId: null, limit: 1 });
        expect(left).toEqual([]);
        expect((await harness.get(instanceId)).status).toBe('completed');
      }
    });

    it('and a subscription at once: the event is in the mail exactly when it says so', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      for (let round = 0; round < 40; round++) {
        const [instanceId, topic] = [`one-${round}`, `event:${round}`];
        await worker.start(instanceId);
        const [delivered, settled] = await Promise.all([
          harness.deliver({ topic }),
          worker.commit({ subscriptions: [{ instanceId, topic }], settlements: [park(instanceId)] }),
        ]);
        expect(settled.refused).toEqual([]);
        const mail = await worker.storage.runs.mail({ instanceId, topic, afterMailId: null, limit: 9 });
        expect(mail).toHaveLength(delivered.receivers);
        expect(await worker.claimIds()).toEqual(delivered.receivers === 1 ? [instanceId] : []);
      }
    });
  });
}
