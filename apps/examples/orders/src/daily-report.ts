// A workflow that goes on for ever: at the end of each day it writes down what was shipped, and begins anew.
import { defineWorkflow } from '@romancy/core';
import type { Activities } from './activities.js';

/** There is one. */
export const dailyReportId = 'daily-report';

export interface DailyReportInput {
  /** The number of the day that is going on, from 1. */
  readonly day: number;
  /** How long a day is, in milliseconds. */
  readonly dayLength: number;
}

/**
 * Each day is a part of the instance with a history of its own, which does not grow. Days on which no worker was there are no days: the
 * one that was going on ends when one is there again.
 */
export function createDailyReport({ closeDay }: Activities) {
  return defineWorkflow('daily_report', async (ctx, { day, dayLength }: DailyReportInput): Promise<never> => {
    const midnight = (Math.floor(ctx.now() / dayLength) + 1) * dayLength;
    await ctx.sleepUntil(midnight);
    await ctx.run(closeDay, day);
    return await ctx.recur({ day: day + 1, dayLength } satisfies DailyReportInput);
  });
}
