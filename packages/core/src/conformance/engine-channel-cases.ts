// Cases: competing and direct channels, the mode of a channel, and what receiving may come to.
import { describe, expect, it } from 'vitest';
import { ChannelModeConflictError, defineWorkflow, WaitTimeoutError } from '../index.js';
import { listener, waitingListener } from './engine-listener.js';
import type { EngineBench } from './engine-harness.js';

const consumer = defineWorkflow('consumer', async (ctx, count: number) => {
  await ctx.subscribe('jobs', 'competing');
  const taken: number[] = [];
  while (taken.length < count) taken.push((await ctx.receive<number>('jobs')).data);
  return taken;
});

export function channelCases(bench: EngineBench): void {
  describe('a competing channel', () => {
    it('gives each message to one, the oldest first, also those from before anybody came', async () => {
      const harness = await bench.harness();
      const apps = [await harness.app({ workflows: [consumer] }), await harness.app({ workflows: [consumer] })];
      for (let number = 0; number < 10; number++) await harness.drive(apps[0]!.romancy.publish('jobs', number));
      const handles = await Promise.all(
        [0, 1, 2, 3].map((which) => harness.drive(apps[which % 2]!.romancy.startWorkflow(consumer, 5))),
      );
      for (let number = 10; number < 20; number++) await harness.drive(apps[number % 2]!.romancy.publish('jobs', number));
      const taken = await harness.drive(Promise.all(handles.map((handle) => handle.result())));
      expect(taken.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, number) => number));
      for (const own of taken) expect(own).toEqual([...own].sort((a, b) => a - b));
    });

    it('gives what a wait that timed out would have got to others, and what came by itself to nobody twice', async () => {
      const harness = await bench.harness();
      const impatient = defineWorkflow('impatient', async (ctx) => {
        await ctx.subscribe('jobs', 'competing');
        const timedOut: unknown = await ctx.receive('jobs', { timeout: harness.span('1m', 30) }).catch((error: unknown) => error);
        if (!(timedOut instanceof WaitTimeoutError)) throw new Error('it was to time out');
        await ctx.waitEvent('go on');
        return [(await ctx.receive<number>('jobs')).data];
      });
      const app = await harness.app({ workflows: [impatient, consumer] });
      const handle = await app.romancy.startWorkflow(impatient);
      // Where time is real it may have gone past that before anybody looks.
      if (harness.clock !== undefined) await harness.untilStatus(app, handle.instanceId, 'waiting_for_message');
      await harness.leap('1m');
      await harness.untilStatus(app, handle.instanceId, 'waiting_for_event');
      for (const number of [1, 2, 3]) await harness.drive(app.romancy.publish('jobs', number));
      const other = await app.romancy.startWorkflow(consumer, 2);
      expect(await harness.drive(other.result())).toEqual([1, 2]);
      await harness.drive(app.romancy.sendEvent({ type: 'go on', source: 's' }));
      expect(await harness.drive(handle.result())).toEqual([3]);
    });

    it('gives a message to one, also where the code unsubscribes as it comes to a wait that stays open', async () => {
      const harness = await bench.harness();
      const leaving = defineWorkflow('leaving', async (ctx) => {
        await ctx.subscribe('jobs', 'competing');
        await ctx.subscribe('news', 'broadcast');
        const taken: unknown[] = [];
        const news = ctx.receive('news');
        // Comes with the news, and stands behind them.
        void ctx.receive('jobs').then(({ data }) => taken.push(data));
        await news;
        await ctx.unsubscribe('jobs');
        await ctx.run('after it', () => undefined);
        return taken;
      });
      const app = await harness.app({ workflows: [leaving, consumer] });
      const handle = await app.romancy.startWorkflow(leaving);
      await harness.untilStatus(app, handle.instanceId, 'waiting_for_message');
      await Promise.all(['jobs', 'news'].map((channel) => harness.drive(app.romancy.publish(channel, 1))));
      const own = await harness.drive(handle.result());
      await harness.drive(app.romancy.publish('jobs', 2));
      // Where time is real the job may have come before the news.
      const other = await app.romancy.startWorkflow(consumer, 2 - own.length);
      expect([...own, ...(await harness.drive(other.result()))]).toEqual([1, 2]);
    });

    it('serves several waits of one instance, and a message for it alone besides', async () => {
      const harness = await bench.harness();
      const greedy = defineWorkflow('greedy', async (ctx) => {
        await ctx.subscribe('jobs', 'competing');
        const taken = await Promise.all([ctx.receive('jobs'), ctx.receive('jobs'), ctx.receive('jobs')]);
        return taken.map(({ data }) => data).sort();
      });
      const app = await harness.app({ workflows: [greedy, consumer] });
      const handle = await app.romancy.startWorkflow(greedy);
      await harness.untilStatus(app, handle.instanceId, 'waiting_for_message');
      await harness.drive(app.romancy.sendTo(handle.instanceId, 'jobs', 0));
      for (const number of [1, 2, 3]) await harness.drive(app.romancy.publish('jobs', number));
      expect(await harness.drive(handle.result())).toEqual([0, 1, 2]);
      expect(await harness.drive((await app.romancy.startWorkflow(consumer, 1)).result())).toEqual([3]);
    });

    it('hands on what an instance got that ended without taking it', async () => {
      const harness = await bench.harness();
      const app = await harness.app({ workflows: [consumer] });
      const handle = await app.romancy.startWorkflow(consumer, 1);
      await harness.untilStatus(app, handle.instanceId, 'waiting_for_message');
      const both = Promise.all([app.romancy.publish('jobs', 7), handle.cancel()]);
      await harness.drive(both);
      const end: unknown = await harness.drive(handle.result().catch((error: unknown) => error));
      const other = await app.romancy.startWorkflow(consumer, 1);
      if (Array.isArray(end)) await harness.drive(app.romancy.publish('jobs', 8));
      expect(await harness.drive(other.result())).toEqual([Array.isArray(end) ? 8 : 7]);
    });
  });

  describe('a direct channel', () => {
    it('gives what is sent to the instance alone, also from before it subscribed', async () => {
      const harness = await bench.harness();
      const direct = defineWorkflow('direct', async (ctx) => {
        await ctx.waitEvent('begin');
        await ctx.subscribe('inbox', 'direct');
        return [(await ctx.receive('inbox')).data, (await ctx.receive('inbox')).data];
      });
      const app = await harness.app({ workflows: [direct] });
      const [one, other] = [await app.romancy.startWorkflow(direct), await app.romancy.startWorkflow(direct)];
      await harness.drive(app.romancy.sendTo(one.instanceId, 'inbox', 'early'));
      await harness.drive(app.romancy.sendTo(other.instanceId, 'inbox', 'for the other'));
      await harness.untilStatus(app, one.instanceId, 'waiting_for_event');
      await harness.untilStatus(app, other.instanceId, 'waiting_for_event');
      await harness.drive(app.romancy.sendEvent({ type: 'begin', source: 's' }));
      await harness.untilStatus(app, one.instanceId, 'waiting_for_message');
      expect(await harness.drive(app.romancy.publish('inbox', 'to all'))).toMatchObject({ receivers: 0 });
      await harness.drive(app.romancy.sendTo(one.instanceId, 'inbox', 'late'));
      expect(await harness.drive(one.result())).toEqual(['early', 'late']);
    });

    it('says so when a message is lost on an instance that has ended or never was', async () => {
      const harness = await bench.harness();
      const sender = defineWorkflow('sender', async (ctx, to: string) => {
        await ctx.sendTo(to, 'inbox', 1);
        return 'sent';
      });
      const app = await harness.app({ workflows: [sender] });
      expect(await harness.drive((await app.romancy.startWorkflow(sender, 'nobody')).result())).toBe('sent');
      const lost = await harness.until(() => app.logger.lines.find(({ fields }) => fields?.['instanceId'] === 'nobody'));
      expect(lost).toMatchObject({ level: 'warn' });
      expect(await harness.failure(app.romancy.sendTo('nobody', 'inbox', 1))).toMatchObject({ code: 'INSTANCE_NOT_FOUND' });
    });
  });

  describe('the mode of a channel', () => {
    it('is that of its first subscription; another one is a conflict that names all, the same on replay', async () => {
      const harness = await bench.harness();
      const seen: unknown[] = [];
      const stubborn = defineWorkflow('stubborn', async (ctx) => {
        const refused: unknown = await ctx.subscribe('news', 'competing').catch((error: unknown) => error);
        seen.push(refused);
        await ctx.sleep(harness.span('1h', 40));
        return refused instanceof ChannelModeConflictError;
      });
      const app = await harness.app({ workflows: [listener, stubborn] });
      await waitingListener({ harness, app, count: 1, instanceId: 'listener' });
      const handle = await app.romancy.startWorkflow(stubborn);
      await harness.untilStatus(app, handle.instanceId, 'waiting_for_timer');
      await harness.leap('1h');
      expect(await harness.drive(handle.result())).toBe(true);
      for (const error of seen) {
        expect(error).toMatchObject({
          code: 'CHANNEL_MODE_CONFLICT',
          channel: 'news',
          mode: 'broadcast',
          requested: 'competing',
        });
      }
    });

    it('is one, whoever comes first in a race', async () => {
      const harness = await bench.harness();
      const chooser = defineWorkflow('chooser', async (ctx, mode: 'broadcast' | 'competing' | 'direct') => {
        try {
          await ctx.subscribe('contested', mode);
          return mode;
        } catch (error) {
          return (error as ChannelModeConflictError).mode;
        }
      });
      const apps = [await harness.app({ workflows: [chooser] }), await harness.app({ workflows: [chooser] })];
      const modes = (['broadcast', 'competing', 'direct', 'competing', 'broadcast', 'direct'] as const).map(async (mode, index) =>
        (await apps[index % 2]!.romancy.startWorkflow(chooser, mode)).result(),
      );
      expect(new Set(await harness.drive(Promise.all(modes))).size).toBe(1);
    });
  });

  describe('receiving', () => {
    it('times out with an error that can be caught, the same on replay', async () => {
      const harness = await bench.harness();
      const seen: unknown[] = [];
      const waiter = defineWorkflow('waiter', async (ctx) => {
        await ctx.subscribe('news');
        const error: unknown = await ctx.receive('news', { timeout: harness.span('5m', 30) }).catch((caught: unknown) => caught);
        seen.push(error);
        await ctx.sleep(harness.span('1h', 40));
        return (await ctx.receive('news')).data;
      });
      const app = await harness.app({ workflows: [waiter] });
      const handle = await app.romancy.startWorkflow(waiter);
      await harness.untilStatus(app, handle.instanceId, 'waiting_for_message');
      await harness.leap('5m');
      await harness.untilStatus(app, handle.instanceId, 'waiting_for_timer');
      await harness.drive(app.romancy.publish('news', 'late'));
      await harness.leap('1h');
      expect(await harness.drive(handle.result())).toBe('late');
      for (const error of seen) expect(error).toMatchObject({ code: 'WAIT_TIMEOUT', waitedFor: 'news' });
    });

    it('without a subscription is an error that says what to do', async () => {
      const harness = await bench.harness();
      const hasty = defineWorkflow('hasty', (ctx) => ctx.receive('news'));
      const app = await harness.app({ workflows: [hasty] });
      const error = await harness.failure((await app.romancy.startWorkflow(hasty)).result());
      expect(error).toMatchObject({ cause: { code: 'NOT_SUBSCRIBED', channel: 'news' } });
    });
  });
}
