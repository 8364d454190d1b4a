// Cases: messages on broadcast channels reach each subscriber, once, whatever the workflow does meanwhile.
import { describe, expect, it } from 'vitest';
import { defineWorkflow, NotSubscribedError, type ReceivedMessage } from '../index.js';
import type { EngineBench } from './engine-harness.js';
import { listener, waitingListener } from './engine-listener.js';

const atOnce = { firstDelay: 1, jitter: false } as const;

export function broadcastCases(bench: EngineBench): void {
  describe('a broadcast channel', () => {
    it('gives each subscriber each later message once, in order', async () => {
      const harness = await bench.harness();
      const app = await harness.app({ workflows: [listener] });
      const first = await waitingListener({ harness, app, count: 5, instanceId: 'first' });
      await harness.drive(app.romancy.publish('news', 0));
      const second = await waitingListener({ harness, app, count: 4, instanceId: 'second' });
      for (let number = 1; number <= 4; number++) {
        // Neither has all of his before the last one is sent.
        expect(await harness.drive(app.romancy.publish('news', number))).toMatchObject({ receivers: 2 });
      }
      expect(await harness.drive(first.result())).toEqual([0, 1, 2, 3, 4]);
      expect(await harness.drive(second.result())).toEqual([1, 2, 3, 4]);
    });

    it('keeps what comes while its subscriber is busy or asleep, and gives the same on replay', async () => {
      const harness = await bench.harness();
      const runs: unknown[][] = [];
      const sleeper = defineWorkflow('sleeper', async (ctx) => {
        const heard: unknown[] = [];
        runs.push(heard);
        await ctx.subscribe('news');
        heard.push((await ctx.receive('news')).data);
        await ctx.sleep(harness.span('1d', 60));
        for (let count = 0; count < 3; count++) heard.push((await ctx.receive('news')).data);
        return heard;
      });
      const app = await harness.app({ workflows: [sleeper] });
      const handle = await app.romancy.startWorkflow(sleeper);
      await harness.untilStatus(app, handle.instanceId, 'waiting_for_message');
      for (const text of ['a', 'b', 'c', 'd']) await harness.drive(app.romancy.publish('news', text));
      await harness.untilStatus(app, handle.instanceId, 'waiting_for_timer');
      await harness.leap('1d');
      expect(await harness.drive(handle.result())).toEqual(['a', 'b', 'c', 'd']);
      for (const heard of runs) expect(['a', 'b', 'c', 'd']).toEqual(expect.arrayContaining(heard));
    });

    it('shows who sent what and when, with its metadata', async () => {
      const harness = await bench.harness();
      const reader = defineWorkflow('reader', async (ctx): Promise<ReceivedMessage[]> => {
        await ctx.subscribe('news');
        return [await ctx.receive('news'), await ctx.receive('news')];
      });
      const writer = defineWorkflow('writer', (ctx) =>
        ctx.publish('news', { text: 'ä\u{1f600}\0', at: new Date(5) }, { metadata: { priority: 3, urgent: true } }),
      );
      const app = await harness.app({ workflows: [reader, writer] });
      const handle = await app.romancy.startWorkflow(reader);
      await harness.untilStatus(app, handle.instanceId, 'waiting_for_message');
      const written = await app.romancy.startWorkflow(writer, undefined, { instanceId: 'the writer' });
      const messageId = await harness.drive(written.result());
      const { messageId: outer } = await harness.drive(app.romancy.publish('news', 'from outside'));
      const [inside, outside] = await harness.drive(handle.result());
      expect(inside).toEqual({
        id: messageId,
        channel: 'news',
        data: { text: 'ä\u{1f600}\0', at: new Date(5) },
        metadata: { priority: 3, urgent: true },
        sender: 'the writer',
        time: expect.any(Date) as Date,
      });
      expect(outside).toMatchObject({ id: outer, data: 'from outside', sender: undefined, metadata: {} });
    });

    it('is published to once by a body that is run again and again', async () => {
      const harness = await bench.harness();
      let runs = 0;
      const talker = defineWorkflow('talker', async (ctx) => {
        runs++;
        await ctx.publish('news', 'once');
        for (let pause = 0; pause < 3; pause++) await ctx.sleep(harness.span('1h', 40));
        await ctx.publish('news', 'at last');
      });
      const app = await harness.app({ workflows: [listener, talker] });
      const heard = await waitingListener({ harness, app, count: 2, instanceId: 'listener' });
      await harness.drive((await app.romancy.startWorkflow(talker)).result(), '1h');
      expect(await harness.drive(heard.result())).toEqual(['once', 'at last']);
      expect(runs).toBeGreaterThan(1);
    });

    it('has no message of an attempt that failed, and that of the one that succeeded once', async () => {
      const harness = await bench.harness();
      const trier = defineWorkflow('trier', (ctx) =>
        ctx.run(
          'try',
          async (activity) => {
            await activity.publish('news', `attempt ${activity.attempt}`);
            if (activity.attempt < 3) throw new Error('no');
          },
          { retry: atOnce },
        ),
      );
      const app = await harness.app({ workflows: [listener, trier] });
      const heard = await waitingListener({ harness, app, count: 2, instanceId: 'listener' });
      await harness.drive((await app.romancy.startWorkflow(trier)).result());
      await harness.drive(app.romancy.publish('news', 'end'));
      expect(await harness.drive(heard.result())).toEqual(['attempt 3', 'end']);
    });

    it("shows a message of an activity's transaction from its commit on, and none that was rolled back", async (context) => {
      const harness = await bench.harness();
      const rows = harness.rows(context);
      let seenWithin: number | undefined;
      const payer = defineWorkflow('payer', (ctx) =>
        ctx.run(
          'pay',
          async (activity) => {
            await rows.write(activity, 'paid', String(activity.attempt));
            await activity.publish('news', `paid in attempt ${activity.attempt}`);
            await activity.sendTo('listener', 'news', `direct in attempt ${activity.attempt}`);
            if (activity.attempt === 1) throw new Error('no');
            seenWithin = (await app.storage.instances.history({ instanceId: 'listener', afterSeq: 0, limit: 10 })).length;
          },
          { retry: atOnce },
        ),
      );
      const app = await harness.app({ workflows: [listener, payer] });
      const heard = await waitingListener({ harness, app, count: 3, instanceId: 'listener' });
      const before = (await app.storage.instances.history({ instanceId: 'listener', afterSeq: 0, limit: 10 })).length;
      await harness.drive((await app.romancy.startWorkflow(payer)).result());
      await harness.drive(app.romancy.publish('news', 'end'));
      expect(await harness.drive(heard.result())).toEqual(['paid in attempt 2', 'direct in attempt 2', 'end']);
      expect(seenWithin).toBe(before);
      expect(await rows.read('paid')).toBe('2');
    });

    it('no longer reaches who has unsubscribed, and again who comes back', async () => {
      const harness = await bench.harness();
      const leaver = defineWorkflow('leaver', async (ctx) => {
        await ctx.subscribe('news');
        const heard = [(await ctx.receive('news')).data];
        await ctx.unsubscribe('news');
        await ctx.publish('news', 'own, while away');
        const refused: unknown = await ctx.receive('news').catch((error: unknown) => error);
        if (!(refused instanceof NotSubscribedError)) throw refused;
        await ctx.waitEvent('back');
        await ctx.subscribe('news');
        await ctx.publish('news', 'own');
        heard.push((await ctx.receive('news')).data, (await ctx.receive('news')).data);
        return heard;
      });
      const app = await harness.app({ workflows: [leaver] });
      const handle = await app.romancy.startWorkflow(leaver);
      await harness.untilStatus(app, handle.instanceId, 'waiting_for_message');
      await harness.drive(app.romancy.publish('news', 1));
      await harness.untilStatus(app, handle.instanceId, 'waiting_for_event');
      expect(await harness.drive(app.romancy.publish('news', 'missed'))).toMatchObject({ receivers: 0 });
      await harness.drive(app.romancy.sendEvent({ type: 'back', source: 's' }));
      await harness.untilStatus(app, handle.instanceId, 'waiting_for_message');
      await harness.drive(app.romancy.publish('news', 2));
      expect(await harness.drive(handle.result())).toEqual([1, 'own', 2]);
    });
  });
}
