// Cases: what runs beside each other resolves on replay as it did, whatever comes later.
import { describe, expect, it } from 'vitest';
import { defineWorkflow } from '../index.js';
import { gate } from './engine-gate.js';
import type { EngineBench } from './engine-harness.js';

export function raceCases(bench: EngineBench): void {
  describe('calls beside each other', () => {
    it('a hundred of them give the same outcomes in the same order on replay, and run once', async () => {
      const harness = await bench.harness();
      const runs = new Map<string, number>();
      const orders: string[] = [];
      const workflow = defineWorkflow('hundred', async (ctx) => {
        const order: number[] = [];
        const part = (index: number): Promise<number> =>
          ctx
            .run(
              'part',
              async ({ activityId }) => {
                runs.set(activityId, (runs.get(activityId) ?? 0) + 1);
                // They end in an order that is not the one in which they began.
                for (let turn = 0; turn < (index * 37) % 11; turn++) await new Promise((resolve) => setImmediate(resolve));
                if (index % 10 === 9) throw new RangeError(`not ${index}`);
                return index;
              },
              { retry: { maxAttempts: 1 } },
            )
            .finally(() => order.push(index));
        const settled = await Promise.allSettled(Array.from({ length: 100 }, (_, index) => part(index)));
        orders.push(order.join());
        await ctx.sleep(harness.span('1d', 50));
        return settled.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : (outcome.reason as Error).message));
      });
      const app = await harness.app({ workflows: [workflow] });
      const handle = await app.romancy.startWorkflow(workflow);
      await harness.untilStatus(app, handle.instanceId, 'waiting_for_timer');
      await harness.leap('1d');
      const expected = Array.from({ length: 100 }, (_, index) => (index % 10 === 9 ? `not ${index}` : index));
      expect(await harness.drive(handle.result())).toEqual(expected);
      expect(new Set(orders).size).toBe(1);
      expect(orders.length).toBeGreaterThanOrEqual(2);
      expect([...runs.values()]).toEqual(Array<number>(100).fill(1));
    });

    it.for(['event', 'timer', 'activity'] as const)('have the same winner on replay when the %s was first', async (first) => {
      const harness = await bench.harness();
      const late = gate<string>();
      const seen: string[] = [];
      // Where time is real, longer than a commit takes on a busy machine.
      const second = harness.span('1h', 500);
      const workflow = defineWorkflow('racers', async (ctx) => {
        const timer = ctx.sleep(first === 'timer' ? 1 : second).then(() => 'timer');
        const event = ctx.waitEvent<string>('go').then(({ data }) => `event ${data}`);
        const activity = ctx.run('work', () => (first === 'activity' ? 'activity' : late.opened));
        const winner = await Promise.race([timer, event, activity]);
        seen.push(winner);
        await ctx.sleep(harness.span('3h', 200));
        const losers = await Promise.all([timer, event, activity]);
        seen.push(losers.join());
        await ctx.sleep(harness.span('3h', 50));
        return [winner, ...losers];
      });
      const app = await harness.app({ workflows: [workflow] });
      const handle = await app.romancy.startWorkflow(workflow);
      const { instanceId } = handle;
      const send = (id: string) => app.romancy.sendEvent({ id, type: 'go', source: 'tests', data: id, instanceId });
      if (first === 'event') await harness.drive(send('first'));
      await harness.until(() => seen.length > 0);
      if (first !== 'event') await harness.drive(send('late'));
      late.open('activity');
      const result = await harness.drive(handle.result(), '1h');
      const winner = first === 'event' ? 'event first' : first;
      const losers = ['timer', first === 'event' ? 'event first' : 'event late', 'activity'];
      expect(result).toEqual([winner, ...losers]);
      // Each time the code ran, and it did several times, it saw the same.
      expect(new Set(seen)).toEqual(new Set([winner, losers.join()]));
      expect(seen.length).toBeGreaterThanOrEqual(4);
    });

    it('that lost may fail later, and nobody minds', async () => {
      const harness = await bench.harness();
      const late = gate();
      const workflow = defineWorkflow('losing', async (ctx) => {
        const loser = ctx.run('loser', () => late.opened.then(() => Promise.reject(new Error('too late'))), {
          retry: { maxAttempts: 1 },
        });
        const winner = await Promise.race([loser, ctx.run('winner', () => 'won')]);
        await ctx.run('open', () => late.open());
        await ctx.sleep(harness.span('1h', 50));
        return winner;
      });
      const app = await harness.app({ workflows: [workflow] });
      const handle = await app.romancy.startWorkflow(workflow);
      await harness.untilStatus(app, handle.instanceId, 'waiting_for_timer');
      await harness.leap('1h');
      expect(await harness.drive(handle.result())).toBe('won');
      const history = await app.storage.runs.history({ instanceId: handle.instanceId, afterSeq: 0, limit: 10 });
      expect(history.map(({ callId, kind }) => `${callId} ${kind}`)).toContain('loser:1 activity_failed');
    });

    it('and of which nobody ever takes the outcome, fail without a word', async () => {
      const harness = await bench.harness();
      const failing = { retry: { maxAttempts: 1 } };
      const workflow = defineWorkflow('careless', async (ctx) => {
        void ctx.run('forgotten', () => Promise.reject(new Error('nobody looks')), failing);
        void ctx.waitEvent('never', { timeout: 1 });
        await ctx.sleep(harness.span('1h', 50));
        return await ctx.run('last', () => 'done');
      });
      const app = await harness.app({ workflows: [workflow] });
      const handle = await app.romancy.startWorkflow(workflow);
      // A rejection that nobody handles ends the process, and fails the run of the tests.
      expect(await harness.drive(handle.result(), '1h')).toBe('done');
      const history = await app.storage.runs.history({ instanceId: handle.instanceId, afterSeq: 0, limit: 20 });
      expect(history.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['activity_failed', 'wait_timed_out']));
    });

    it('lead to the same calls on replay, however many turns the code takes to make them', async () => {
      const harness = await bench.harness();
      const orders: string[] = [];
      const workflow = defineWorkflow('roundabout', async (ctx) => {
        const order: string[] = [];
        const branch = async (name: string, turns: number): Promise<void> => {
          await ctx.run(name, () => name);
          // Each outcome is followed by all that comes of it before the next one is told, also when that takes long.
          for (let turn = 0; turn < turns; turn++) await Promise.resolve();
          order.push(name);
          await ctx.run('after', ({ activityId }) => `${name} ${activityId}`).then((told) => order.push(told));
        };
        await Promise.all([branch('slow', 200), branch('quick', 0), branch('slower', 500), branch('last', 1)]);
        orders.push(order.join());
        await ctx.sleep(harness.span('1d', 50));
        return order.join();
      });
      const app = await harness.app({ workflows: [workflow] });
      const handle = await app.romancy.startWorkflow(workflow);
      await harness.untilStatus(app, handle.instanceId, 'waiting_for_timer');
      await harness.leap('1d');
      expect(await harness.drive(handle.result())).toBe(orders[0]);
      expect(orders.length).toBeGreaterThanOrEqual(2);
      expect(new Set(orders).size).toBe(1);
      expect(app.logger.at('error')).toEqual([]);
    });

    it('that are still under way when the code returns are aborted, and record nothing', async () => {
      const harness = await bench.harness();
      let reason: unknown;
      const workflow = defineWorkflow('hasty', (ctx) => {
        void ctx.run('slow', async ({ signal }) => {
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
          reason = signal.reason;
        });
        return ctx.run('quick', () => 'quick');
      });
      const app = await harness.app({ workflows: [workflow] });
      const handle = await app.romancy.startWorkflow(workflow);
      expect(await harness.drive(handle.result())).toBe('quick');
      await harness.until(() => reason);
      expect((reason as Error).message).toContain(handle.instanceId);
      const history = await app.storage.runs.history({ instanceId: handle.instanceId, afterSeq: 0, limit: 10 });
      expect(history.map(({ callId }) => callId)).toEqual(['quick:1']);
    });

    it('may be waited for in any nesting', async () => {
      const harness = await bench.harness();
      const workflow = defineWorkflow('nested', async (ctx) => {
        const branch = async (name: string, depth: number): Promise<string> => {
          const own = await ctx.run(name, ({ activityId }) => activityId);
          if (depth === 0) return own;
          await ctx.sleep(harness.span(`${depth}h`, depth * 3));
          const below = await Promise.all([branch(`${name}l`, depth - 1), branch(`${name}r`, depth - 1)]);
          const first = await Promise.race([ctx.run(`${name}x`, () => 'x'), ctx.sleep('10d').then(() => 'slow')]);
          return `${own}(${below.join()})${first}`;
        };
        return await branch('n', 3);
      });
      const [app, other] = [await harness.app({ workflows: [workflow] }), await harness.app({ workflows: [workflow] })];
      const handle = await app.romancy.startWorkflow(workflow);
      const expected = (name: string, depth: number): string =>
        depth === 0 ? `${name}:1` : `${name}:1(${expected(`${name}l`, depth - 1)},${expected(`${name}r`, depth - 1)})x`;
      const result = other.romancy.getHandle(handle.instanceId).result();
      expect(await harness.drive(result, '1h')).toBe(expected('n', 3));
    });
  });
}
