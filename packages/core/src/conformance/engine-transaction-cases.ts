// Cases: what an activity writes in its own transaction commits together with its result, or not at all.
import { describe, expect, it } from 'vitest';
import { defineWorkflow, TransactionError, type ActivityContext, type WorkflowFailedError } from '../index.js';
import { gate } from './engine-gate.js';
import type { EngineBench } from './engine-harness.js';

const atOnce = { firstDelay: 1, jitter: false } as const;

export function transactionCases(bench: EngineBench): void {
  describe("an activity's own transaction", () => {
    it('commits the row together with the result', async (context) => {
      const harness = await bench.harness();
      const rows = harness.rows(context);
      let within: string | undefined = 'not looked at';
      const workflow = defineWorkflow('paying', async (ctx) => {
        const paid = await ctx.run('pay', async (activity) => {
          await rows.write(activity, 'order', 'first');
          await rows.write(activity, 'order', 'paid');
          within = await rows.read('order');
          return 'receipt';
        });
        return paid;
      });
      const app = await harness.app({ workflows: [workflow] });
      const handle = await app.romancy.startWorkflow(workflow);
      expect(await harness.drive(handle.result())).toBe('receipt');
      expect(within).toBeUndefined();
      expect(await rows.read('order')).toBe('paid');
      const history = await app.storage.runs.history({ instanceId: handle.instanceId, afterSeq: 0, limit: 5 });
      expect(history.map(({ kind, callId }) => [kind, callId])).toEqual([['activity_completed', 'pay:1']]);
      expect(app.storage.count('transactions.begin')).toBe(1);
    });

    it('warns of a message in it that was for nobody, as of any other', async (context) => {
      const harness = await bench.harness();
      const rows = harness.rows(context);
      const workflow = defineWorkflow('telling', async (ctx) => {
        await ctx.run('tell', async (activity) => {
          await rows.write(activity, 'told', 'yes');
          await activity.sendTo('nobody', 'inbox', 1);
        });
      });
      const app = await harness.app({ workflows: [workflow] });
      await harness.drive((await app.romancy.startWorkflow(workflow)).result());
      const [line] = app.logger.matching('it is lost');
      expect(line).toMatchObject({ level: 'warn', fields: { instanceId: 'nobody' } });
    });

    it('leaves nothing of an attempt that throws', async (context) => {
      const harness = await bench.harness();
      const rows = harness.rows(context);
      const seen: (string | undefined)[] = [];
      const rolledBack: number[] = [];
      const workflow = defineWorkflow('hesitating', (ctx) =>
        ctx.run(
          'hesitate',
          async (activity) => {
            rolledBack.push(app.storage.count('transactions.rollback'));
            seen.push(await rows.read('row'));
            await rows.write(activity, `row of attempt ${activity.attempt}`, 'x');
            await rows.write(activity, 'row', String(activity.attempt));
            if (activity.attempt < 3) throw new Error('no');
            return activity.attempt;
          },
          { retry: atOnce },
        ),
      );
      const app = await harness.app({ workflows: [workflow] });
      expect(await harness.drive((await app.romancy.startWorkflow(workflow)).result())).toBe(3);
      expect(seen).toEqual([undefined, undefined, undefined]);
      // Not some time later: it may have locks that the next attempt needs.
      expect(rolledBack).toEqual([0, 1, 2]);
      expect(await rows.read('row')).toBe('3');
      expect(await rows.read('row of attempt 1')).toBeUndefined();
      expect(await rows.read('row of attempt 2')).toBeUndefined();
    });

    it('leaves nothing of an attempt that was aborted, or whose output cannot be written down', async (context) => {
      const harness = await bench.harness();
      const rows = harness.rows(context);
      const never = gate();
      const rolledBack: number[] = [];
      const once = { maxAttempts: 1 };
      const workflow = defineWorkflow('breaking', async (ctx) => {
        const slow = async (activity: ActivityContext): Promise<void> => {
          await rows.write(activity, 'slow', 'x');
          await never.opened;
        };
        const odd = async (activity: ActivityContext): Promise<unknown> => {
          rolledBack.push(app.storage.count('transactions.rollback'));
          await rows.write(activity, 'odd', 'x');
          return () => 'a function';
        };
        const results = [
          await settled(ctx.run('slow', slow, { timeout: 30, retry: once })),
          await settled(ctx.run('odd', odd, { retry: once })),
        ];
        return results;
      });
      const app = await harness.app({ workflows: [workflow] });
      const results = await harness.drive((await app.romancy.startWorkflow(workflow)).result());
      expect(results).toEqual(['ACTIVITY_TIMEOUT', 'PAYLOAD_NOT_SERIALIZABLE']);
      expect(await rows.read('slow')).toBeUndefined();
      expect(await rows.read('odd')).toBeUndefined();
      expect([...rolledBack, app.storage.count('transactions.rollback')]).toEqual([1, 2]);
      never.open();
    });

    it('that an SQL error has spoilt does not spoil the next attempt', async (context) => {
      const harness = await bench.harness();
      const rows = harness.rows(context);
      harness.require(context, 'failingStatement', rows.fail !== undefined);
      const workflow = defineWorkflow('stumbling', (ctx) =>
        ctx.run(
          'stumble',
          async (activity) => {
            await rows.write(activity, 'row', String(activity.attempt));
            if (activity.attempt === 1) await rows.fail!(activity);
            // Here the error is swallowed: what the database makes of the commit decides, and it is all or nothing.
            if (activity.attempt === 2) await rows.fail!(activity).catch(() => undefined);
            return activity.attempt;
          },
          { retry: atOnce },
        ),
      );
      const app = await harness.app({ workflows: [workflow] });
      const last = await harness.drive((await app.romancy.startWorkflow(workflow)).result());
      expect([2, 3]).toContain(last);
      expect(await rows.read('row')).toBe(String(last));
    });

    it('is never opened when nobody asks for it', async () => {
      const harness = await bench.harness();
      const workflow = defineWorkflow('plain', async (ctx) => {
        await ctx.run('one', () => 1);
        await Promise.all([ctx.run('two', () => 2), ctx.sleep(1), ctx.run('three', ({ signal }) => signal.aborted)]);
      });
      const app = await harness.app({ workflows: [workflow] });
      await harness.drive((await app.romancy.startWorkflow(workflow)).result());
      expect(app.storage.count('transactions.begin')).toBe(0);
    });

    it('is the same one for all who ask in one attempt, and refuses who asks afterwards', async (context) => {
      const harness = await bench.harness();
      const rows = harness.rows(context);
      let kept: ActivityContext | undefined;
      const workflow = defineWorkflow('sharing', async (ctx) => {
        await ctx.run('share', async (activity) => {
          kept = activity;
          for (const key of ['a', 'b', 'c']) await rows.write(activity, key, 'x');
        });
      });
      const app = await harness.app({ workflows: [workflow] });
      await harness.drive((await app.romancy.startWorkflow(workflow)).result());
      expect(app.storage.count('transactions.begin')).toBe(1);
      for (const key of ['a', 'b', 'c']) expect(await rows.read(key), key).toBe('x');
      await expect(rows.write(kept!, 'late', 'x')).rejects.toBeInstanceOf(TransactionError);
    });

    it('is not opened for who asks for the first time when the attempt is over', async (context) => {
      const harness = await bench.harness();
      const rows = harness.rows(context);
      const kept: ActivityContext[] = [];
      const never = gate();
      const workflow = defineWorkflow('late', async (ctx) => {
        await ctx.run('over', (activity) => void kept.push(activity));
        const expired = async (activity: ActivityContext): Promise<void> => (kept.push(activity), never.opened);
        return await settled(ctx.run('expired', expired, { timeout: 20, retry: { maxAttempts: 1 } }));
      });
      const app = await harness.app({ workflows: [workflow] });
      expect(await harness.drive((await app.romancy.startWorkflow(workflow)).result())).toBe('ACTIVITY_TIMEOUT');
      expect(kept).toHaveLength(2);
      for (const activity of kept) await expect(rows.write(activity, 'late', 'x')).rejects.toBeInstanceOf(TransactionError);
      expect(app.storage.count('transactions.begin')).toBe(0);
      never.open();
    });

    it('of a storage of another kind is refused', async (context) => {
      const harness = await bench.harness();
      const rows = harness.rows(context);
      const elsewhere = Object.freeze({ instanceId: 'not an activity context' });
      const app = await harness.app();
      expect(app.romancy.status().state).toBe('running');
      await expect(rows.write(elsewhere as unknown as ActivityContext, 'x', 'x')).rejects.toBeInstanceOf(TransactionError);
    });

    it('stands beside other calls of its run that are recorded meanwhile', async (context) => {
      const harness = await bench.harness();
      const rows = harness.rows(context);
      const workflow = defineWorkflow('busy', async (ctx) => {
        const done = gate<string>();
        const outcomes = await Promise.all([
          ctx.run('with', async (activity) => {
            await rows.write(activity, 'row', 'x');
            // The transaction is open while the others' outcomes are recorded.
            return await done.opened;
          }),
          ctx.run('without', () => 1),
          ctx.sleep(1).then(() => ctx.now()),
          ctx.run('last', () => 2).then((two) => (done.open('done'), two)),
        ]);
        return [outcomes[0], outcomes[1], outcomes[3]];
      });
      const app = await harness.app({ workflows: [workflow] });
      expect(await harness.drive((await app.romancy.startWorkflow(workflow)).result())).toEqual(['done', 1, 2]);
      expect(await rows.read('row')).toBe('x');
    });

    it('of a race that another call has won is rolled back, and blocks nobody', async (context) => {
      const harness = await bench.harness();
      const rows = harness.rows(context);
      const workflow = defineWorkflow('racing', (ctx) => {
        // Both have their result before either is recorded.
        const write = (key: string) => async (activity: ActivityContext) => (await rows.write(activity, key, 'x'), key);
        return Promise.race([ctx.run('plain', () => 'plain'), ctx.run('late', write('late'))]);
      });
      const app = await harness.app({ workflows: [workflow] });
      for (let round = 0; round < 5; round++) {
        const winner = await harness.drive((await app.romancy.startWorkflow(workflow)).result());
        expect((await rows.read('late')) === undefined || winner === 'late').toBe(true);
      }
      const after = defineWorkflow('after', (ctx) => ctx.run('write', async (activity) => rows.write(activity, 'after', 'x')));
      const next = await harness.app({ workflows: [after] });
      await harness.drive((await next.romancy.startWorkflow(after)).result({ timeout: '10s' }));
      expect(await rows.read('after')).toBe('x');
    });

    it('of a cancelled instance is rolled back', async (context) => {
      const harness = await bench.harness();
      const rows = harness.rows(context);
      const [written, release] = [gate(), gate()];
      const workflow = defineWorkflow('cancelled', async (ctx) => {
        await ctx.run('write', async (activity) => {
          await rows.write(activity, 'row', 'x');
          written.open();
          await release.opened;
        });
      });
      const app = await harness.app({ workflows: [workflow] });
      const handle = await app.romancy.startWorkflow(workflow);
      await harness.drive(written.opened);
      const cancelled = harness.drive(handle.cancel('enough'));
      const error = (await harness.failure(handle.result())) as WorkflowFailedError;
      await cancelled;
      release.open();
      expect(error).toMatchObject({ code: 'WORKFLOW_CANCELLED', reason: 'enough' });
      expect(await rows.read('row')).toBeUndefined();
    });
  });
}

/** The code of the error that a promise comes to. */
async function settled(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    () => 'fulfilled',
    (error: { readonly code?: unknown }) => error.code,
  );
}
