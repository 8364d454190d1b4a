// Cases: what an instance that recurs is subscribed to, and what it has not read yet, is there for its next part.
import { describe, expect, it } from 'vitest';
import { defineWorkflow } from '../index.js';
import { seededEntropy } from '../testing/index.js';
import { gate } from './engine-gate.js';
import type { EngineBench } from './engine-harness.js';

export function recurMailCases(bench: EngineBench): void {
  describe('an instance that recurs', () => {
    it('keeps its subscriptions, groups and unread messages, without a gap, however messages come', async () => {
      const harness = await bench.harness();
      const entropy = seededEntropy(11);
      const many = 150;
      const heard: Record<'news' | 'jobs' | 'mine' | 'ours' | 'events', unknown[]> = {
        news: [],
        jobs: [],
        mine: [],
        ours: [],
        events: [],
      };
      type Place = keyof typeof heard;
      const places = Object.keys(heard) as Place[];
      const workflow = defineWorkflow('listener', async (ctx, left: Readonly<Record<Place, number>>): Promise<string> => {
        // No part but the first subscribes.
        if (places.every((place) => left[place] === many)) {
          await ctx.subscribe('news');
          await ctx.subscribe('jobs', 'competing');
          await ctx.subscribe('mine', 'direct');
          await ctx.subscribe('ours', 'direct');
          await ctx.joinGroup('listeners');
          await ctx.run('ready', () => ready.open());
        }
        const open = places.filter((place) => left[place] > 0);
        if (open.length === 0) return 'heard all';
        const next = open[left.news % open.length]!;
        const data = next === 'events' ? (await ctx.waitEvent<unknown>('told')).data : (await ctx.receive(next)).data;
        await ctx.run('note', () => void heard[next].push(data));
        return await ctx.recur({ ...left, [next]: left[next] - 1 });
      });
      const ready = gate();
      const app = await harness.app({ workflows: [workflow] });
      const handle = await app.romancy.startWorkflow(workflow, { news: many, jobs: many, mine: many, ours: many, events: many });
      const { instanceId } = handle;
      await harness.drive(ready.opened);
      // Events are kept from the first wait on, or when they are for the instance alone.
      const send: Record<Place, (index: number) => Promise<unknown>> = {
        news: (index) => app.romancy.publish('news', index),
        jobs: (index) => app.romancy.publish('jobs', index),
        mine: (index) => app.romancy.sendTo(instanceId, 'mine', index),
        ours: (index) => app.romancy.publish('ours', index, { group: 'listeners' }),
        events: (index) => app.romancy.sendEvent({ type: 'told', source: 's', id: `${index}`, data: index, instanceId }),
      };
      const sending = async (place: Place): Promise<void> => {
        for (let index = 0; index < many; index++) {
          for (let turn = Math.floor(entropy.random() * 12); turn > 0; turn--)
            await new Promise((resolve) => setImmediate(resolve));
          await send[place](index);
        }
      };
      await harness.drive(Promise.all(places.map(sending)));
      expect(await harness.drive(handle.result())).toBe('heard all');
      const all = Array.from({ length: many }, (_, index) => index);
      for (const place of places) expect(heard[place], place).toEqual(all);
      expect(await app.romancy.groupMembers('listeners')).toEqual([]);
    });

    it('shares the messages of a competing channel with others: each goes to one, none is lost between two parts', async () => {
      const harness = await bench.harness();
      const many = 60;
      const taken: number[] = [];
      const besides: number[] = [];
      const workflow = defineWorkflow('consumer', async (ctx, got: number): Promise<number> => {
        if (got === 0) await ctx.subscribe('jobs', 'competing');
        // What the second of two seeks brings belongs to this part when it comes before its end, else to the next part, or to others.
        const first = ctx.receive<number>('jobs', { timeout: harness.span('1h', 700) });
        const second = got % 3 === 2 ? ctx.receive<number>('jobs') : undefined;
        second?.then(
          ({ data }) => {
            if (!ctx.isReplaying) besides.push(data);
          },
          () => undefined,
        );
        const message = await first.catch(() => undefined);
        if (message === undefined) return got;
        await ctx.run('take', () => void taken.push(message.data));
        return await ctx.recur(got + 1);
      });
      const apps = [await harness.app({ workflows: [workflow] }), await harness.app({ workflows: [workflow] })];
      const handles = await Promise.all(apps.map(({ romancy }) => romancy.startWorkflow(workflow, 0)));
      await harness.drive(
        (async () => {
          for (let index = 0; index < many; index++) await apps[index % 2]!.romancy.publish('jobs', index);
        })(),
      );
      await harness.until(() => taken.length + besides.length >= many);
      const counts = await harness.drive(Promise.all(handles.map((handle) => handle.result())), '1h');
      expect([...taken, ...besides].sort((a, b) => a - b)).toEqual(Array.from({ length: many }, (_, index) => index));
      expect(counts[0]! + counts[1]! + besides.length).toBe(many);
    });

    it('keeps the waits with a match that its last part made, and no earlier ones', async () => {
      const harness = await bench.harness();
      const workflow = defineWorkflow('orders', async (ctx, order: number): Promise<number> => {
        const event = await ctx.waitEvent<{ order: number }>('paid', { match: { 'data.order': order } });
        return order === 3 ? event.data.order : await ctx.recur(order + 1);
      });
      const app = await harness.app({ workflows: [workflow] });
      const handle = await app.romancy.startWorkflow(workflow, 1, { instanceId: 'o' });
      const pay = async (order: number) =>
        (await harness.drive(app.romancy.sendEvent({ type: 'paid', source: 's', data: { order } }))).receivers;
      for (const order of [1, 2]) {
        await harness.untilStatus(app, 'o', 'waiting_for_event');
        expect(await pay(order)).toBe(1);
        await harness.until(async () => (await app.romancy.get('o'))?.input === order + 1);
      }
      await harness.untilStatus(app, 'o', 'waiting_for_event');
      expect([await pay(1), await pay(2), await pay(4)]).toEqual([0, 1, 0]);
      expect(await pay(3)).toBe(1);
      expect(await harness.drive(handle.result())).toBe(3);
    });
  });
}
