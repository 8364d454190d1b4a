// Finds the daily reports, and the parts of the workflow that wrote them.
import type { InstanceView, Romancy } from '@romancy/core';
import { dailyReportId, type DailyReportInput } from './daily-report.js';
import type { DayReport, Stock } from './stock.js';

export interface Days {
  readonly reports: readonly DayReport[];
  /** The days of the workflow's parts, from the one that goes on back to the first, as each leads to the one before it. */
  readonly chain: readonly number[];
}

/** Null: there is no such workflow in this database. */
export async function findDays(romancy: Romancy, stock: Stock): Promise<Days | null> {
  const chain: number[] = [];
  let part: InstanceView | undefined = await romancy.get(dailyReportId);
  if (part === undefined) return null;
  while (part !== undefined) {
    chain.push((part.input as DailyReportInput).day);
    part = part.continuedFrom === null ? undefined : await romancy.get(part.continuedFrom);
  }
  return { reports: await stock.reports(), chain };
}
