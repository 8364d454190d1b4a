// The two workflows of which a million instances wait.
import { defineWorkflow } from '@romancy/core';

export const waitsForEvent = defineWorkflow('bench_backlog_event', async (ctx) => {
  await ctx.waitEvent('bench.never');
});

export const waitsForTime = defineWorkflow('bench_backlog_timer', async (ctx) => {
  await ctx.sleep('30d');
});
