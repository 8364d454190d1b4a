// Cases: what becomes of an activity's own transaction while it waits for what its run recorded before it, or is being committed.
import { describe, expect, it, type TestContext } from 'vitest';
import { defineActivity, defineWorkflow, type ActivityContext } from '../index.js';
import { gate, type Gate } from './engine-gate.js';
import type { EngineBench, EngineHarness, TestApp } from './engine-harness.js';

/** A step beside the transaction, whose commit is held up. */
interface Held {
  readonly isHeld: Gate;
  readonly held: Gate;
  readonly written: Gate;
}

export function transactionWaitCases(bench: EngineBench): void {
  describe("an activity's own transaction that waits", () => {
    it('is undone at once when the code ends without it', async (context) => {
      const harness = await bench.harness();
      const rows = harness.rows(context);
      const gates = heldGates();
      const over = gate();
      const workflow = defineWorkflow('leaves', async (ctx) => {
        void ctx.run(
          'pay',
          paying(gates, (activity) => rows.write(activity, 'row', 'x')),
        );
        await ctx.run('plain', () => gates.written.opened);
        await over.opened;
        return 'done';
      });
      const app = await harness.app({ workflows: [workflow] });
      requireWaiting(app, context);
      holdPlain(app, gates);
      const handle = await app.romancy.startWorkflow(workflow);
      await untilItWaits(harness, gates);
      over.open();
      await harness.until(() => app.storage.count('transactions.rollback') > 0);
      gates.held.open();
      expect(await harness.drive(handle.result())).toBe('done');
      await harness.until(() => app.romancy.status().running === 0);
      expect(await rows.read('row')).toBeUndefined();
      expect(await idsOfHistory(app, handle.instanceId)).toEqual(['plain:1']);
    });

    it('is committed though the code fails, and is compensated', async (context) => {
      const harness = await bench.harness();
      const rows = harness.rows(context);
      const gates = heldGates();
      const failing = gate();
      const pay = defineActivity(
        'pay',
        paying(gates, (activity) => rows.write(activity, 'row', 'paid')),
        { compensate: (activity) => rows.write(activity, 'row', 'paid back') },
      );
      const workflow = defineWorkflow('fails', async (ctx) => {
        void ctx.run(pay, null);
        await ctx.run('plain', () => gates.written.opened);
        await failing.opened;
        throw new Error('no stock');
      });
      const app = await harness.app({ workflows: [workflow] });
      requireWaiting(app, context);
      holdPlain(app, gates);
      const handle = await app.romancy.startWorkflow(workflow);
      await untilItWaits(harness, gates);
      failing.open();
      for (let round = 0; round < 5; round++) await harness.tick();
      gates.held.open();
      await expect(harness.drive(handle.result())).rejects.toThrow('no stock');
      expect(await rows.read('row')).toBe('paid back');
    });

    it('too long is undone, since what it waits for may wait for it; the activity is done again as the same attempt', async (context) => {
      const harness = await bench.harness();
      const rows = harness.rows(context);
      const gates = heldGates();
      const attempts: number[] = [];
      const workflow = defineWorkflow('late', async (ctx) => {
        const pay = ctx.run(
          'pay',
          paying(gates, async (activity) => {
            attempts.push(activity.attempt);
            await rows.write(activity, `row ${attempts.length}`, 'x');
          }),
          { retry: { maxAttempts: 1 } },
        );
        await ctx.run('plain', () => gates.written.opened);
        await pay;
        return 'done';
      });
      const app = await harness.app({ workflows: [workflow] });
      requireWaiting(app, context);
      holdPlain(app, gates);
      const handle = await app.romancy.startWorkflow(workflow);
      await untilItWaits(harness, gates);
      await harness.leap('6s');
      await harness.until(() => app.storage.count('transactions.rollback') > 0);
      gates.held.open();
      expect(await harness.drive(handle.result())).toBe('done');
      expect(attempts).toEqual([1, 1]);
      expect([await rows.read('row 1'), await rows.read('row 2')]).toEqual([undefined, 'x']);
      expect(await idsOfHistory(app, handle.instanceId)).toEqual(['plain:1', 'pay:1']);
    });
  });

  describe("an activity's own transaction that is being committed", () => {
    it('holds up a stall of its run: whoever has the instance next does not do it again', async (context) => {
      const harness = await bench.harness();
      const rows = harness.rows(context);
      const [isHeld, held] = [gate(), gate()];
      let [paid, broken] = [0, true];
      // Code of the user that is asked whether to try again, and throws.
      const moody = class extends Error {
        static override [Symbol.hasInstance](): boolean {
          if (broken) throw new Error('moody');
          return false;
        }
      };
      const workflow = defineWorkflow('stalls', async (ctx) => {
        const pay = ctx.run('pay', async (activity) => {
          await rows.write(activity, `row ${++paid}`, 'x');
        });
        const fail = async (): Promise<void> => {
          await isHeld.opened;
          if (broken) throw new Error('fails');
        };
        await Promise.all([pay, ctx.run('fail', fail, { retry: { nonRetryable: [moody] } })]);
        return 'done';
      });
      const app = await harness.app({ workflows: [workflow] });
      let stalls = 0;
      app.storage.plan = {
        before: ({ name, argument }) => {
          if (name === 'runs.commit' && JSON.stringify(argument).includes('"type":"stall"')) stalls++;
          if (name !== 'transactions.commit') return;
          isHeld.open();
          return held.opened;
        },
      };
      const handle = await app.romancy.startWorkflow(workflow);
      await harness.drive(isHeld.opened);
      for (let round = 0; round < 20; round++) await harness.tick();
      expect(stalls).toBe(0);
      broken = false;
      held.open();
      await harness.untilStatus(app, handle.instanceId, 'stalled');
      await harness.until(() => app.romancy.status().running === 0);
      const other = await harness.app({ workflows: [workflow] });
      expect(await harness.drive(other.romancy.getHandle(handle.instanceId).result(), '1m')).toBe('done');
      expect(paid).toBe(1);
    });
  });
}

function heldGates(): Held {
  return { isHeld: gate(), held: gate(), written: gate() };
}

/** Writes, and returns when the commit of the step beside it is on its way and held up. */
function paying({ isHeld, written }: Held, write: (activity: ActivityContext) => Promise<void>) {
  return async (activity: ActivityContext): Promise<void> => {
    await write(activity);
    written.open();
    await isHeld.opened;
  };
}

function holdPlain(app: TestApp, { isHeld, held }: Held): void {
  app.storage.plan = {
    before: ({ name, argument }) => {
      if (name !== 'runs.commit' || !JSON.stringify(argument).includes('"plain:1"')) return;
      isHeld.open();
      return held.opened;
    },
  };
}

async function untilItWaits(harness: EngineHarness, { isHeld }: Held): Promise<void> {
  await harness.drive(isHeld.opened);
  for (let round = 0; round < 10; round++) await harness.tick();
}

async function idsOfHistory(app: TestApp, instanceId: string): Promise<readonly string[]> {
  return (await app.storage.runs.history({ instanceId, afterSeq: 0, limit: 10 })).map(({ callId }) => callId);
}

function requireWaiting({ storage }: TestApp, context: TestContext): void {
  if (storage.transactions.blocksCommits) context.skip('where one alone can write, a transaction takes along what is before it');
}
