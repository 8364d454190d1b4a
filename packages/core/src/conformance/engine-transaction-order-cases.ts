// Cases: an activity's own transaction commits behind all that its run recorded before it, and gets into nobody's way.
import { describe, expect, it } from 'vitest';
import { defineWorkflow, type ActivityContext } from '../index.js';
import { gate } from './engine-gate.js';
import type { EngineBench } from './engine-harness.js';

export function transactionOrderCases(bench: EngineBench): void {
  describe("an activity's own transaction, and what its run recorded before", () => {
    it('leaves no gap while a commit is held up: its own waits for that, or takes along what is in it', async (context) => {
      const harness = await bench.harness();
      const rows = harness.rows(context);
      const [isHeld, held, written] = [gate(), gate(), gate()];
      const workflow = defineWorkflow('in order', async (ctx) => {
        const pay = ctx.run('pay', async (activity) => {
          await rows.write(activity, 'row', 'x');
          written.open();
          await isHeld.opened;
          return 'paid';
        });
        await ctx.run('plain', () => written.opened);
        return await pay;
      });
      const app = await harness.app({ workflows: [workflow] });
      app.storage.plan = {
        before: ({ name, argument }) => {
          if (name !== 'runs.commit' || !JSON.stringify(argument).includes('"plain:1"')) return;
          isHeld.open();
          return held.opened;
        },
      };
      const handle = await app.romancy.startWorkflow(workflow);
      const idsOfHistory = async (): Promise<string[]> =>
        (await app.storage.runs.history({ instanceId: handle.instanceId, afterSeq: 0, limit: 5 })).map(({ callId }) => callId);
      await harness.drive(isHeld.opened);
      if (app.storage.transactions.blocksCommits) {
        await harness.until(async () => (await rows.read('row')) === 'x');
        expect(await idsOfHistory()).toEqual(['plain:1', 'pay:1']);
      } else {
        for (let round = 0; round < 10; round++) await harness.tick();
        expect(app.storage.count('transactions.commit')).toBe(0);
        expect(await rows.read('row')).toBeUndefined();
      }
      held.open();
      expect(await harness.drive(handle.result())).toBe('paid');
      expect(await rows.read('row')).toBe('x');
      expect(await idsOfHistory()).toEqual(['plain:1', 'pay:1']);
      expect(app.storage.count('transactions.commit')).toBe(1);
    });

    it('is undone where the commit before it is refused, and the activity does it again once that is cured', async (context) => {
      const harness = await bench.harness();
      const rows = harness.rows(context);
      let cured = false;
      const isOnItsWay = gate();
      const refuse = async (argument: unknown): Promise<void> => {
        if (cured || !JSON.stringify(argument).includes('"plain:1"')) return;
        isOnItsWay.open();
        // Until the transaction waits for it, where it does.
        for (let round = 0; round < 5; round++) await new Promise((resolve) => setImmediate(resolve));
        throw new Error('the database refuses this row');
      };
      const attempts: number[] = [];
      const workflow = defineWorkflow('refused', async (ctx) => {
        const written = gate();
        const pay = ctx.run('pay', async (activity) => {
          attempts.push(activity.attempt);
          await rows.write(activity, `row ${attempts.length}`, 'x');
          written.open();
          await isOnItsWay.opened;
          return 'paid';
        });
        await ctx.run('plain', () => written.opened);
        return await pay;
      });
      const app = await harness.app({ workflows: [workflow] });
      // A storage that takes it along would be refused there as well.
      app.storage.plan = {
        before: ({ name, argument }) =>
          name === 'runs.commit' || (name === 'transactions.commit' && app.storage.transactions.blocksCommits)
            ? refuse(argument)
            : undefined,
      };
      const handle = await app.romancy.startWorkflow(workflow);
      await harness.untilStatus(app, handle.instanceId, 'stalled');
      await harness.until(() => app.romancy.status().running === 0);
      for (const [index] of attempts.entries()) expect(await rows.read(`row ${index + 1}`)).toBeUndefined();
      expect(await app.storage.runs.history({ instanceId: handle.instanceId, afterSeq: 0, limit: 5 })).toEqual([]);
      cured = true;
      const other = await harness.app({ workflows: [workflow] });
      expect(await harness.drive(other.romancy.getHandle(handle.instanceId).result(), '1m')).toBe('paid');
      expect(await rows.read(`row ${attempts.length}`)).toBe('x');
      // No attempt was counted for what another call brought about.
      expect(attempts.at(-1)).toBe(1);
    });

    it('fails for no branch that comes and goes in groups beside it', async (context) => {
      const harness = await bench.harness();
      const rows = harness.rows(context);
      const child = defineWorkflow('joined in', () => 'child');
      const workflow = defineWorkflow('sociable', async (ctx) => {
        const topic = `topic of ${ctx.instanceId}`;
        const mingle = async (group: string): Promise<void> => {
          for (let round = 0; round < 5; round++) {
            await ctx.joinGroup(group);
            await ctx.run('in', () => round);
            await ctx.leaveGroup(group);
            await ctx.run('out', () => round);
            await ctx.publish(topic, 'too late', { group });
            await ctx.startChild(child);
          }
        };
        const pay = async (name: string): Promise<void> => {
          for (let round = 0; round < 5; round++) {
            const write = (activity: ActivityContext): Promise<void> =>
              rows.write(activity, `${ctx.instanceId} ${name} ${round}`, 'x');
            await ctx.run('pay', write, { retry: { maxAttempts: 1 } });
          }
        };
        await Promise.all([mingle('one'), pay('a'), mingle('two'), pay('b')]);
        return 'done';
      });
      const app = await harness.app({ workflows: [workflow, child] });
      const handles = await Promise.all(Array.from({ length: 20 }, () => app.romancy.startWorkflow(workflow)));
      const results = await harness.drive(Promise.all(handles.map((handle) => handle.result())));
      expect(results).toEqual(handles.map(() => 'done'));
    });
  });
}
