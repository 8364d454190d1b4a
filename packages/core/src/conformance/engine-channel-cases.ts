// Cases: messages on channels reach whom they are for, once, whatever the workflow does meanwhile.
import { describe, expect, it } from 'vitest';
import {
  ChannelModeConflictError,
  defineWorkflow,
  NotSubscribedError,
  WaitTimeoutError,
  type ReceivedMessage,
} from '../index.js';
import type { EngineBench, EngineHarness, TestApp } from './engine-harness.js';

const atOnce = { firstDelay: 1, jitter: false } as const;

/** Receives so many messages and gives their data. */
const listener = defineWorkflow('listener', async (ctx, count: number) => {
  await ctx.subscribe('news');
  const heard: unknown[] = [];
  while (heard.length < count) heard.push((await ctx.receive('news')).data);
  return heard;
});

const consumer = defineWorkflow('consumer', async (ctx, count: number) => {
  await ctx.subscribe('jobs', 'competing');
  const taken: number[] = [];
  while (taken.length < count) taken.push((await ctx.receive<number>('jobs')).data);
  return taken;
});

export function channelCases(bench: EngineBench): void {
  const waitingListener = async (harness: EngineHarness, app: TestApp, count: number, instanceId: string) => {
    const handle = await app.romancy.startWorkflow(listener, count, { instanceId });
    await harness.untilStatus(app, instanceId, 'waiting_for_message');
    return handle;
  };

  describe('a broadcast channel', () => {
    it('gives each subscriber each later message once, in order', async () => {
      const harness = await bench.harness();
      const app = await harness.app({ workflows: [listener] });
      const first = await waitingListener(harness, app, 5, 'first');
      await harness.drive(app.romancy.publish('news', 0));
      const second = await waitingListener(harness, app, 4, 'second');
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
      const heard = await waitingListener(harness, app, 2, 'listener');
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
      const heard = await waitingListener(harness, app, 2, 'listener');
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
      const heard = await waitingListener(harness, app, 3, 'listener');
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
      await waitingListener(harness, app, 1, 'listener');
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
