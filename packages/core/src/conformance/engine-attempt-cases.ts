// Cases: attempts of activities, the waits between them, their timeouts, and what fails for good.
import { describe, expect, it } from 'vitest';
import {
  ActivityFailedError,
  ActivityTimeoutError,
  defineActivity,
  defineWorkflow,
  TerminalError,
  type WorkflowFailedError,
} from '../index.js';
import { gate } from './engine-gate.js';
import type { EngineBench } from './engine-harness.js';

/** Retries that nobody has to wait for. */
const atOnce = { firstDelay: 1, jitter: false } as const;

export function attemptCases(bench: EngineBench): void {
  describe('an activity', () => {
    it('that fails twice succeeds with its third attempt; the delays grow by the factor up to the cap', async () => {
      const harness = await bench.harness();
      const startedAt: number[] = [];
      const retry = { firstDelay: 100, factor: 3, maxDelay: 250, maxAttempts: 5, jitter: false };
      const now = (): number => harness.clock?.now() ?? performance.now();
      const workflow = defineWorkflow('flaky', (ctx) =>
        ctx.run(
          'flaky',
          ({ attempt }) => {
            startedAt.push(now());
            if (attempt < 4) throw new Error(`no ${attempt}`);
            return attempt;
          },
          { retry },
        ),
      );
      const app = await harness.app({ workflows: [workflow] });
      const handle = await app.romancy.startWorkflow(workflow);
      expect(await harness.drive(handle.result())).toBe(4);
      const delays = startedAt.slice(1).map((at, index) => at - startedAt[index]!);
      for (const [index, least] of [100, 250, 250].entries()) {
        expect(delays[index]).toBeGreaterThanOrEqual(least - (harness.clock === undefined ? 2 : 0));
        // In manual time nothing but the delay itself takes time; real machines are slow at times.
        if (harness.clock !== undefined) expect(delays[index]).toBeLessThanOrEqual(least + 15);
      }
    });

    it('waits between attempts for a time that is drawn anew for each', async () => {
      const harness = await bench.harness();
      const dues: number[] = [];
      const workflow = defineWorkflow('jittery', (ctx) =>
        ctx.run('fails', () => Promise.reject(new Error('no')), {
          retry: { firstDelay: '10m', maxDelay: '10m', maxAttempts: 2 },
        }),
      );
      const app = await harness.app({ workflows: [workflow] });
      for (let n = 0; n < 8; n++) {
        const { instanceId } = await app.romancy.startWorkflow(workflow);
        const view = await harness.until(async () => {
          const seen = await app.romancy.get(instanceId);
          return seen?.status === 'waiting_for_retry' && seen;
        });
        const [entry] = await app.storage.runs.history({ instanceId, afterSeq: 0, limit: 1 });
        expect(view.wakeAt?.getTime()).toBe(entry!.dueAt);
        dues.push(entry!.dueAt! - entry!.recordedAt);
      }
      for (const due of dues) expect(due).toBeGreaterThan(300_000 - 2000);
      for (const due of dues) expect(due).toBeLessThanOrEqual(600_000 + 100);
      expect(new Set(dues.map((due) => Math.round(due / 1000))).size).toBeGreaterThan(3);
    });

    it('that always fails ends in an error with the last cause and the number of attempts', async () => {
      const harness = await bench.harness();
      const workflow = defineWorkflow('hopeless', async (ctx) => {
        await ctx.run('never', ({ attempt }) => Promise.reject(new RangeError(`no ${attempt}`)), {
          retry: { ...atOnce, maxAttempts: 3 },
        });
      });
      const app = await harness.app({ workflows: [workflow] });
      const error = (await harness.failure((await app.romancy.startWorkflow(workflow)).result())) as WorkflowFailedError;
      expect(error.cause).toBeInstanceOf(ActivityFailedError);
      expect(error.cause).toMatchObject({ activityId: 'never:1', attempts: 3, cause: { name: 'RangeError', message: 'no 3' } });
      expect((error.cause as Error).message).toContain('3 attempts');
    });

    it('follows the policy of its call before its own, that before the one of the app, and the default last', async () => {
      const harness = await bench.harness();
      const attempts = new Map<string, number>();
      const count = ({ activityId, attempt }: { activityId: string; attempt: number }): Promise<never> => {
        attempts.set(activityId, attempt);
        return Promise.reject(new Error('no'));
      };
      const own = defineActivity('own', count, { retry: { maxAttempts: 3 } });
      const workflow = defineWorkflow('policies', async (ctx) => {
        const calls = [
          ctx.run('app', count),
          ctx.run(own),
          ctx.run(own, undefined, { id: 'call', retry: { maxAttempts: 4 } }),
          // A policy that says nothing of the number takes it from the next one.
          ctx.run(own, undefined, { id: 'rest', retry: { factor: 1 } }),
        ];
        await Promise.allSettled(calls);
      });
      const run = async (retry: object): Promise<Record<string, number>> => {
        attempts.clear();
        const app = await harness.app({ workflows: [workflow], retry });
        await harness.drive((await app.romancy.startWorkflow(workflow)).result());
        await harness.drive(app.romancy.stop());
        return Object.fromEntries(attempts);
      };
      expect(await run({ ...atOnce, maxAttempts: 2 })).toEqual({ 'app:1': 2, 'own:1': 3, call: 4, rest: 3 });
      expect(await run(atOnce)).toEqual({ 'app:1': 5, 'own:1': 3, call: 4, rest: 3 });
    });

    it('is attempted once when its error is terminal, or of a class that is not to be retried, itself or as a cause', async () => {
      const harness = await bench.harness();
      class Declined extends TerminalError {}
      class Gone extends Error {}
      const attempts: number[] = [];
      const errors: Error[] = [
        new Declined('no'),
        new Error('outer', { cause: new Error('middle', { cause: new Declined('inner') }) }),
        new Gone('gone'),
        new Error('outer', { cause: new Gone('inner') }),
      ];
      const workflow = defineWorkflow('pointless', async (ctx, index: number) => {
        await ctx.run(
          'fails',
          ({ attempt }) => {
            attempts.push(attempt);
            throw errors[index]!;
          },
          { retry: { ...atOnce, nonRetryable: [Gone] } },
        );
      });
      const app = await harness.app({ workflows: [workflow], errors: [Declined, Gone] });
      for (const [index, error] of errors.entries()) {
        const failed = (await harness.failure(
          (await app.romancy.startWorkflow(workflow, index)).result(),
        )) as WorkflowFailedError;
        expect(failed.cause).toBeInstanceOf(error.constructor);
        expect((failed.cause as Error).message).toBe(error.message);
      }
      expect(attempts).toEqual([1, 1, 1, 1]);
    });

    it('is not attempted any more when its retries have lasted as long as they may', async () => {
      const harness = await bench.harness();
      let attempts = 0;
      const workflow = defineWorkflow('limited', async (ctx) => {
        await ctx.run('fails', ({ attempt }) => Promise.reject(new Error(String((attempts = attempt)))), {
          retry: { firstDelay: 40, factor: 1, jitter: false, maxAttempts: Infinity, maxDuration: 150 },
        });
      });
      const app = await harness.app({ workflows: [workflow] });
      const error = (await harness.failure((await app.romancy.startWorkflow(workflow)).result())) as WorkflowFailedError;
      expect(error.cause).toBeInstanceOf(ActivityFailedError);
      expect((error.cause as Error).message).toContain('150 ms');
      expect(attempts).toBeGreaterThan(1);
      expect(attempts).toBeLessThanOrEqual(5);
      expect(error.cause).toMatchObject({ attempts });
    });

    it('that takes longer than its timeout is aborted, and that counts as a failure', async () => {
      const harness = await bench.harness();
      const aborted: unknown[] = [];
      const workflow = defineWorkflow('slow', (ctx) =>
        ctx.run(
          'slow',
          async ({ attempt, signal }) => {
            if (attempt === 3) return 'in time';
            await new Promise((resolve) => signal.addEventListener('abort', resolve));
            aborted.push(signal.reason);
            throw new Error('what the function says afterwards is of no interest');
          },
          { timeout: 50, retry: atOnce },
        ),
      );
      const app = await harness.app({ workflows: [workflow] });
      const handle = await app.romancy.startWorkflow(workflow);
      expect(await harness.drive(handle.result())).toBe('in time');
      expect(aborted).toHaveLength(2);
      for (const reason of aborted) expect(reason).toBeInstanceOf(ActivityTimeoutError);
      const history = await app.storage.runs.history({ instanceId: handle.instanceId, afterSeq: 0, limit: 10 });
      expect(history.map(({ kind }) => kind)).toEqual(['activity_retry', 'activity_retry', 'activity_completed']);
      expect(history[0]!.data).toContain('50 ms');
    });

    it('that ignores its timeout cannot record its late result', async () => {
      const harness = await bench.harness();
      const late = gate<string>();
      const after = gate();
      const workflow = defineWorkflow('deaf', async (ctx) => {
        const result = await ctx.run('deaf', ({ attempt }) => (attempt === 1 ? late.opened : 'second'), {
          timeout: 30,
          retry: atOnce,
        });
        await ctx.run('after', () => after.opened);
        return result;
      });
      const app = await harness.app({ workflows: [workflow] });
      const handle = await app.romancy.startWorkflow(workflow);
      const history = () => app.storage.runs.history({ instanceId: handle.instanceId, afterSeq: 0, limit: 10 });
      await harness.until(async () => (await history()).length === 2);
      late.open('first, and late');
      for (let moment = 0; moment < 5; moment++) await harness.tick();
      after.open();
      expect(await harness.drive(handle.result())).toBe('second');
      expect((await history()).map(({ kind }) => kind)).toEqual(['activity_retry', 'activity_completed', 'activity_completed']);
    });

    it('that waits long for its next attempt holds nothing, and survives a restart with its count', async () => {
      const harness = await bench.harness();
      const attempts: string[] = [];
      const [long, waited] = [harness.span('12h', 1500), harness.span('12h', 1)];
      const workflow = defineWorkflow('patient', (ctx) =>
        ctx.run(
          'patient',
          ({ attempt }) => {
            attempts.push(`${attempt}`);
            if (attempt < 3) throw new Error('not yet');
            return attempt;
          },
          { retry: { firstDelay: long, maxDelay: long, factor: 1, jitter: false } },
        ),
      );
      const first = await harness.app({ workflows: [workflow] });
      const { instanceId } = await first.romancy.startWorkflow(workflow);
      await harness.untilStatus(first, instanceId, 'waiting_for_retry');
      // The database knows before the worker has its answer.
      await harness.until(() => first.romancy.status().running === 0);
      expect((await first.romancy.get(instanceId))?.workerId).toBeNull();
      await harness.drive(first.romancy.stop());
      const second = await harness.app({ workflows: [workflow] });
      await harness.leap(waited);
      await harness.until(
        async () => attempts.length === 2 && (await second.romancy.get(instanceId))?.status === 'waiting_for_retry',
      );
      await harness.leap(waited);
      expect(await harness.drive(second.romancy.getHandle(instanceId).result())).toBe(3);
      expect(attempts).toEqual(['1', '2', '3']);
    });

    it('whose failure the workflow caught fails the same way on replay, and is not run again', async () => {
      const harness = await bench.harness();
      class Declined extends Error {
        readonly reason = 'card';
      }
      let runs = 0;
      const told: unknown[] = [];
      const workflow = defineWorkflow('catching', async (ctx) => {
        try {
          await ctx.run('pay', () => Promise.reject<never>((runs++, new Declined('declined'))), { retry: { maxAttempts: 1 } });
        } catch (error) {
          const { name, message, reason } = error as Declined;
          told.push({ isDeclined: error instanceof Declined, name, message, reason, stack: (error as Error).stack });
        }
        await ctx.sleep(harness.span('1d', 60));
        return 'done';
      });
      const app = await harness.app({ workflows: [workflow], errors: [Declined] });
      const handle = await app.romancy.startWorkflow(workflow);
      await harness.untilStatus(app, handle.instanceId, 'waiting_for_timer');
      await harness.leap('1d');
      expect(await harness.drive(handle.result())).toBe('done');
      expect(runs).toBe(1);
      expect(told).toHaveLength(2);
      expect(told[0]).toMatchObject({ isDeclined: true, message: 'declined', reason: 'card' });
      expect(told[1]).toEqual(told[0]);
    });
  });
}
