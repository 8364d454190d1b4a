// Cases: how often, when and for how long an activity is tried, by whose policy, and what stays of each attempt.
import { describe, expect, it } from 'vitest';
import { ActivityFailedError, defineActivity, defineWorkflow, type RetryOptions, type WorkflowFailedError } from '../index.js';
import { gate } from './engine-gate.js';
import type { EngineBench, TestApp } from './engine-harness.js';

const atOnce = { firstDelay: 1, jitter: false } as const;
const fail = (): Promise<never> => Promise.reject(new Error('no'));

export function retryCases(bench: EngineBench): void {
  describe('the retries of an activity', () => {
    it('make three attempts for two failures, each delay as many times the one before as the factor says', async () => {
      const harness = await bench.harness();
      const now = (): number => harness.clock?.monotonic() ?? performance.now();
      const [begun, failed]: [number[], number[]] = [[], []];
      const firstDelay = harness.clock === undefined ? 250 : 40;
      const workflow = defineWorkflow('growing', (ctx) =>
        ctx.run(
          'flaky',
          ({ attempt }) => {
            begun.push(now());
            if (attempt === 3) return attempt;
            failed.push(now());
            return fail();
          },
          { retry: { firstDelay, factor: 3, maxDelay: '1h', jitter: false } },
        ),
      );
      const app = await harness.app({ workflows: [workflow] });
      const handle = await app.romancy.startWorkflow(workflow);
      expect(await harness.drive(handle.result())).toBe(3);
      expect([begun.length, failed.length]).toEqual([3, 2]);
      const delays = await delaysOf(app, handle.instanceId);
      expect(delays).toHaveLength(2);
      for (const [index, delay] of [firstDelay, 3 * firstDelay].entries()) {
        // Apart from how finely the clock of a database is read.
        expect(begun[index + 1]! - failed[index]!).toBeGreaterThan(delay - 3);
        // As it was written down, which was after the failure: a busy machine can make it no longer, but for what an answer of the storage takes
        // that tells the time.
        expect(delays[index]).toBeLessThan((delay * 4) / 3);
      }
    });

    it('wait by default for a second at first, twice as long each time, up to a minute, and never less than half of that', async () => {
      const harness = await bench.harness();
      let failedAt = 0;
      const failing = (): Promise<never> => {
        failedAt = performance.now();
        return fail();
      };
      const workflow = defineWorkflow('default', async (ctx) => {
        await ctx.run('default', failing, { retry: { maxAttempts: 9 } });
      });
      const app = await harness.app({ workflows: [workflow] });
      const { instanceId } = await app.romancy.startWorkflow(workflow);
      if (harness.clock === undefined) {
        await harness.untilStatus(app, instanceId, 'waiting_for_retry');
      } else {
        await harness.failure(app.romancy.getHandle(instanceId).result());
      }
      const seenAfter = performance.now() - failedAt;
      const delays = await delaysOf(app, instanceId);
      expect(delays.length).toBe(harness.clock === undefined ? 1 : 8);
      // So much passes at most until a delay is written down: where time is real, not more than until that was seen.
      const late = harness.clock === undefined ? seenAfter : 250;
      for (const [index, delay] of delays.entries()) {
        const whole = Math.min(1000 * 2 ** index, 60_000);
        expect(delay).toBeGreaterThan(whole / 2 - late);
        expect(delay).toBeLessThanOrEqual(whole + 250);
      }
    });

    it('have no cap, or no end, where Infinity says so, and an attempt has no time limit', async () => {
      const harness = await bench.harness();
      const never = gate();
      const endless: RetryOptions = {
        maxAttempts: Infinity,
        maxDelay: Infinity,
        maxDuration: Infinity,
        firstDelay: '20d',
        factor: 1e9,
      };
      const workflow = defineWorkflow('endless', (ctx) => ctx.run('fails', fail, { retry: { ...endless, jitter: false } }));
      const patient = defineActivity('patient', () => never.opened.then(() => 'in its own time'), { timeout: 20, retry: atOnce });
      const waiting = defineWorkflow('waiting', (ctx) => ctx.run(patient, undefined, { timeout: Infinity }));
      const app = await harness.app({ workflows: [workflow, waiting] });
      const handle = await app.romancy.startWorkflow(waiting);
      const { instanceId } = await app.romancy.startWorkflow(workflow);
      await harness.untilAsleep(app, instanceId);
      expect((await delaysOf(app, instanceId))[0]).toBeGreaterThan(19 * 86_400_000);
      if (harness.clock !== undefined) {
        await harness.leap('20d');
        await harness.until(async () => (await delaysOf(app, instanceId)).length === 2);
        // As long as there are durations; the due time is still a date.
        expect((await app.romancy.get(instanceId))!.wakeAt!.getFullYear()).toBeGreaterThan(9000);
      }
      for (let moment = 0; moment < 30; moment++) await harness.tick();
      expect(await handle.status()).toBe('running');
      never.open();
      expect(await harness.drive(handle.result({ timeout: Infinity }))).toBe('in its own time');
    });

    it('count attempts by the timeout of the call before that of the activity', async () => {
      const harness = await bench.harness();
      const never = new Promise<string>(() => undefined);
      const slow = defineActivity('slow', () => never, { timeout: '10d', retry: { ...atOnce, maxAttempts: 2 } });
      const workflow = defineWorkflow('impatient', (ctx) => ctx.run(slow, undefined, { timeout: 15 }));
      const app = await harness.app({ workflows: [workflow] });
      const error = (await harness.failure((await app.romancy.startWorkflow(workflow)).result())) as WorkflowFailedError;
      expect(error.cause).toBeInstanceOf(ActivityFailedError);
      expect(error.cause).toMatchObject({
        attempts: 2,
        cause: { code: 'ACTIVITY_TIMEOUT', timeoutMs: 15, activityId: 'slow:1' },
      });
    });

    it('end by their duration from the first failure on, over restarts too', async () => {
      const harness = await bench.harness();
      const attempts: number[] = [];
      const [delay, most] = [Number(harness.span(36_000_000, 300)), Number(harness.span(90_000_000, 800))];
      const workflow = defineWorkflow('limited', async (ctx) => {
        await ctx.run('fails', ({ attempt }) => (attempts.push(attempt), fail()), {
          retry: { firstDelay: delay, maxDelay: delay, factor: 1, jitter: false, maxAttempts: Infinity, maxDuration: most },
        });
      });
      const first = await harness.app({ workflows: [workflow] });
      const { instanceId } = await first.romancy.startWorkflow(workflow);
      await harness.untilStatus(first, instanceId, 'waiting_for_retry');
      await harness.drive(first.romancy.stop());
      // Attempts at 0, 10 and 20 hours; the next one would be at 30, and 25 is the limit.
      const second = await harness.app({ workflows: [workflow] });
      const failed = harness.failure(second.romancy.getHandle(instanceId).result());
      for (const [index, seen] of [2, 3].entries()) {
        await harness.leap('10h');
        await harness.until(() => attempts.length >= seen || index > 5);
      }
      expect((await failed) as WorkflowFailedError).toMatchObject({ cause: { code: 'ACTIVITY_FAILED' } });
      // Where time is real, a slow machine may come to one less.
      if (harness.clock !== undefined) expect(attempts).toEqual([1, 2, 3]);
      expect(attempts.length).toBeGreaterThanOrEqual(2);
      expect(attempts.length).toBeLessThanOrEqual(3);
    });

    it('tell hooks of an attempt whose transaction could not be committed that it failed, and of no other', async (context) => {
      const harness = await bench.harness();
      const rows = harness.rows(context);
      const told: string[] = [];
      const workflow = defineWorkflow('refused', (ctx) =>
        ctx.run('write', async (activity) => (await rows.write(activity, 'row', String(activity.attempt)), activity.attempt), {
          retry: atOnce,
        }),
      );
      const app = await harness.app({
        workflows: [workflow],
        hooks: {
          onActivityComplete: ({ attempt }) => void told.push(`complete ${attempt}`),
          onActivityFail: ({ attempt, error }) => void told.push(`fail ${attempt} ${(error as Error).message}`),
        },
      });
      app.storage.plan = {
        before: ({ name, count }) => {
          if (name === 'transactions.commit' && count === 1) throw new Error('the database says no');
        },
      };
      expect(await harness.drive((await app.romancy.startWorkflow(workflow)).result())).toBe(2);
      await harness.until(() => told.length >= 2);
      expect(told).toEqual(['fail 1 the database says no', 'complete 2']);
      expect(await rows.read('row')).toBe('2');
    });
  });
}

/** How long each failed attempt was to be followed by none, in milliseconds. */
async function delaysOf(app: TestApp, instanceId: string): Promise<number[]> {
  const history = await app.storage.runs.history({ instanceId, afterSeq: 0, limit: 100 });
  return history.filter(({ kind }) => kind === 'activity_retry').map(({ dueAt, recordedAt }) => dueAt! - recordedAt);
}
