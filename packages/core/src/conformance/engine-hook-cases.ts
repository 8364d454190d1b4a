// Cases: hooks are called once per logical event, and can break nothing.
import { describe, expect, it } from 'vitest';
import { defineWorkflow, type Hooks } from '../index.js';
import type { EngineBench } from './engine-harness.js';

export function hookCases(bench: EngineBench): void {
  describe('a hook', () => {
    it('is called once for each event of a run that waited and failed on its way, in order', async () => {
      const harness = await bench.harness();
      const told: string[] = [];
      const hooks = recording(told);
      const workflow = defineWorkflow('eventful', async (ctx) => {
        await ctx.run('first', () => 1);
        await ctx.sleep(harness.span('1h', 30));
        await ctx.run('flaky', ({ attempt }) => (attempt < 3 ? Promise.reject(new Error(`no ${attempt}`)) : attempt), {
          retry: { firstDelay: harness.span('1h', 20), maxDelay: '1h', factor: 1, jitter: false },
        });
        await ctx.run('failing', () => Promise.reject(new Error('never')), { retry: { maxAttempts: 1 } }).catch(() => undefined);
        await ctx.sleep(harness.span('1h', 30));
        await ctx.run('last', () => 1);
      });
      const app = await harness.app({ workflows: [workflow], hooks });
      const handle = await app.romancy.startWorkflow(workflow, undefined, { instanceId: 'i' });
      await harness.drive(handle.result(), '1h');
      await harness.until(() => told.length >= 14);
      expect(told).toEqual([
        'start eventful/i',
        'begin first:1 first 1',
        'complete first:1 first 1',
        'begin flaky:1 flaky 1',
        'fail flaky:1 flaky 1 no 1',
        'begin flaky:1 flaky 2',
        'fail flaky:1 flaky 2 no 2',
        'begin flaky:1 flaky 3',
        'complete flaky:1 flaky 3',
        'begin failing:1 failing 1',
        'fail failing:1 failing 1 never for good',
        'begin last:1 last 1',
        'complete last:1 last 1',
        'end eventful/i completed',
      ]);
    });

    it('tells the end of each instance once, whoever runs it', async () => {
      const harness = await bench.harness();
      const told: string[] = [];
      const workflow = defineWorkflow('ending', async (ctx, how: string) => {
        await ctx.sleep(harness.span('1h', 60));
        if (how === 'fails') throw new RangeError('it had to');
        if (how === 'waits') await ctx.waitEvent('never');
      });
      const apps = [
        await harness.app({ workflows: [workflow], hooks: recording(told) }),
        await harness.app({ workflows: [workflow], hooks: recording(told) }),
      ];
      for (const [index, how] of ['completes', 'fails', 'waits'].entries()) {
        await harness.drive(apps[index % 2]!.romancy.startWorkflow(workflow, how, { instanceId: how }));
        await harness.untilStatus(apps[0]!, how, 'waiting_for_timer');
      }
      await harness.leap('1h');
      await harness.untilStatus(apps[0]!, 'waits', 'waiting_for_event');
      await harness.drive(apps[1]!.romancy.cancel('waits'));
      for (const [id, status] of [
        ['completes', 'completed'],
        ['fails', 'failed'],
        ['waits', 'cancelled'],
      ] as const) {
        await harness.untilStatus(apps[0]!, id, status);
      }
      await harness.until(() => told.length >= 6);
      expect(told.filter((line) => line.startsWith('start')).sort()).toEqual([
        'start ending/completes',
        'start ending/fails',
        'start ending/waits',
      ]);
      expect(told.filter((line) => line.startsWith('end')).sort()).toEqual([
        'end ending/completes completed',
        'end ending/fails failed it had to',
        'end ending/waits cancelled',
      ]);
    });

    it('that throws or rejects is logged, and changes nothing', async () => {
      const harness = await bench.harness();
      const hooks: Hooks = {
        onWorkflowStart: () => {
          throw new Error('of the hook');
        },
        onActivityStart: () => Promise.reject(new Error('of the hook')),
        onActivityComplete: () => {
          throw new Error('of the hook');
        },
        onActivityFail: () => Promise.reject(new Error('of the hook')),
        onWorkflowEnd: () => {
          throw new Error('of the hook');
        },
      };
      const workflow = defineWorkflow('hooked', async (ctx) => {
        return await ctx.run('flaky', ({ attempt }) => (attempt === 1 ? Promise.reject(new Error('no')) : 'yes'), {
          retry: { firstDelay: 1 },
        });
      });
      const app = await harness.app({ workflows: [workflow], hooks });
      const handle = await app.romancy.startWorkflow(workflow);
      expect(await harness.drive(handle.result())).toBe('yes');
      await harness.until(() => app.logger.matching(/^hook/).length >= 6);
      const failed = app.logger.matching(/^hook/).map(({ message }) => message);
      expect([...new Set(failed)].sort()).toEqual(
        ['onActivityComplete', 'onActivityFail', 'onActivityStart', 'onWorkflowEnd', 'onWorkflowStart'].map(
          (name) => `hook ${name} failed`,
        ),
      );
      expect(failed).toHaveLength(6);
      expect(app.logger.matching(/^hook/).map(({ fields }) => fields['instanceId'])).toEqual(Array(6).fill(handle.instanceId));
    });

    it('and a logger that throw break nothing either', async () => {
      const harness = await bench.harness();
      const broken = (): never => {
        throw new Error('of the logger');
      };
      const workflow = defineWorkflow('logging', async (ctx) => {
        ctx.logger.info('a line');
        return await ctx.run('step', ({ logger }) => {
          logger.error('another');
          return 'done';
        });
      });
      const app = await harness.app({
        workflows: [workflow],
        logger: { debug: broken, info: broken, warn: broken, error: broken },
        hooks: { onWorkflowEnd: broken },
      });
      expect(await harness.drive((await app.romancy.startWorkflow(workflow)).result())).toBe('done');
    });
  });
}

function recording(told: string[]): Hooks {
  return {
    onWorkflowStart: ({ workflowName, instanceId }) => void told.push(`start ${workflowName}/${instanceId}`),
    onWorkflowEnd: ({ workflowName, instanceId, status, error }) =>
      void told.push(`end ${workflowName}/${instanceId} ${status}${error === undefined ? '' : ` ${(error as Error).message}`}`),
    onActivityStart: ({ activityId, activityName, attempt }) => void told.push(`begin ${activityId} ${activityName} ${attempt}`),
    onActivityComplete: ({ activityId, activityName, attempt, durationMs }) =>
      void told.push(`complete ${activityId} ${activityName} ${attempt}${durationMs >= 0 ? '' : ' before it began'}`),
    onActivityFail: ({ activityId, activityName, attempt, error, final }) =>
      void told.push(`fail ${activityId} ${activityName} ${attempt} ${(error as Error).message}${final ? ' for good' : ''}`),
  };
}
