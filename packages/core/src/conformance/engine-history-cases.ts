// Cases: long histories are replayed by pages, each entry read once, in time that grows no faster than they do.
import { describe, expect, it } from 'vitest';
import { defineWorkflow } from '../index.js';
import type { EngineBench } from './engine-harness.js';

export function historyCases(bench: EngineBench): void {
  const { longHistory } = bench.options;

  describe('a history', () => {
    it(`of ${longHistory} entries is read once for a replay, a page at a time`, async () => {
      const harness = await bench.harness();
      let runs = 0;
      let replays = 0;
      const rounds = longHistory / 100;
      const workflow = defineWorkflow('long', async (ctx) => {
        replays++;
        let sum = 0;
        for (let round = 0; round < rounds; round++) {
          // Fifty outcomes that come together, and as many readings of which the code takes one after another without a pause.
          const parts = await Promise.all(Array.from({ length: 50 }, (_, index) => ctx.run('part', () => (runs++, index))));
          for (const part of parts) sum += part + Math.ceil(ctx.random());
        }
        await ctx.sleep(harness.span('1d', 400));
        return sum;
      });
      const first = await harness.app({ workflows: [workflow] });
      const { instanceId } = await first.romancy.startWorkflow(workflow);
      await harness.untilStatus(first, instanceId, 'waiting_for_timer');
      await harness.drive(first.romancy.stop());
      expect(runs).toBe(rounds * 50);

      const second = await harness.app({ workflows: [workflow] });
      const pages: number[] = [];
      let claimed = 0;
      second.storage.plan = {
        before: ({ name, argument }) => {
          if (name === 'runs.history') pages.push((argument as { limit: number }).limit);
          if (name === 'runs.claim') claimed = (argument as { historyLimit: number }).historyLimit;
        },
      };
      await harness.leap('1d');
      expect(await harness.drive(second.romancy.getHandle<number>(instanceId).result())).toBe(rounds * (1225 + 50));
      expect(runs).toBe(rounds * 50);
      expect(replays).toBe(2);
      // What comes with the claim, then one page after another, and at most one empty one at the end.
      expect(claimed).toBeLessThanOrEqual(1000);
      expect(Math.max(...pages)).toBeLessThanOrEqual(1000);
      expect(pages.length).toBeLessThanOrEqual(Math.ceil(longHistory / 1000) + 1);
    });

    it('is in memory a page at a time, however long it is', async (context) => {
      const harness = await bench.harness();
      const collectGarbage = bench.options.collectGarbage ?? context.skip('nobody gave the suite a way to free memory');
      const [rounds, together, length] = [longHistory / 50, 50, 4000];
      let least = Infinity;
      let most = 0;
      const measure = (): void => {
        collectGarbage();
        const { heapUsed } = process.memoryUsage();
        least = Math.min(least, heapUsed);
        most = Math.max(most, heapUsed);
      };
      const workflow = defineWorkflow('bulky', async (ctx) => {
        for (let round = 0; round < rounds; round++) {
          await Promise.all(
            Array.from({ length: together }, (_, index) => ctx.run('part', () => `${round}/${index}`.padEnd(length, '.'))),
          );
          if (round % Math.ceil(rounds / 16) === 0 && ctx.isReplaying) measure();
        }
        await ctx.sleep(harness.span('1d', 1000));
      });
      const first = await harness.app({ workflows: [workflow] });
      const { instanceId } = await first.romancy.startWorkflow(workflow);
      await harness.untilStatus(first, instanceId, 'waiting_for_timer');
      await harness.drive(first.romancy.stop());
      const second = await harness.app({ workflows: [workflow] });
      await harness.leap('1d');
      await harness.drive(second.romancy.getHandle(instanceId).result());
      // What is held are the page that is replayed and the one after it: each of a thousand entries.
      expect(most).toBeGreaterThan(0);
      expect(most - least).toBeLessThan(3 * 1000 * length);
    });

    it('that is four times as long takes about four times as long, not sixteen times', async (context) => {
      const harness = await bench.harness();
      harness.manualClock(context, 'measured where the database takes next to no time');
      let replayed = 0;
      const workflow = defineWorkflow('measured', async (ctx, rounds: number) => {
        const before = process.cpuUsage();
        for (let round = 0; round < rounds; round++) {
          await Promise.all(Array.from({ length: 20 }, () => ctx.run('part', () => round)));
        }
        const { user, system } = process.cpuUsage(before);
        replayed = user + system;
        await ctx.sleep('1d');
      });
      const app = await harness.app({ workflows: [workflow] });
      const measure = async (rounds: number): Promise<number> => {
        const handle = await app.romancy.startWorkflow(workflow, rounds);
        await harness.untilStatus(app, handle.instanceId, 'waiting_for_timer');
        await harness.leap('1d');
        await harness.drive(handle.result());
        return replayed;
      };
      // By what the processor did, and the best of three: memory may be freed in one.
      const best = async (rounds: number): Promise<number> =>
        Math.min(await measure(rounds), await measure(rounds), await measure(rounds));
      await measure(50);
      const [short, long] = [await best(60), await best(240)];
      expect(long / short).toBeLessThan(9);
    });
  });
}
