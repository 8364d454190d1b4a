// Holds the daily reports against what was shipped, and against the parts of the workflow that wrote them.
import type { Days } from './days.js';
import type { Check } from './evidence.js';
import type { Reservation } from './stock.js';

export interface ReportEvidence {
  readonly days: Days;
  readonly reservations: readonly Reservation[];
}

/** What was shipped is in one report, each report has a part of the workflow, and the parts hang together. */
export function checkReports({ days: { reports, chain }, reservations }: ReportEvidence): Check {
  const objections: string[] = [];
  for (const { day, orders, pieces } of reports) {
    const shipped = reservations.filter((one) => one.day === day && one.state === 'shipped');
    const sum = shipped.reduce((all, { quantity }) => all + quantity, 0);
    if (shipped.length !== orders || sum !== pieces) {
      objections.push(`day ${day}: ${shipped.length} orders with ${sum} pieces, but its report says ${orders} with ${pieces}`);
    }
  }
  const written = new Set(reports.map(({ day }) => day));
  for (const { orderId, state, day } of reservations) {
    if (state === 'shipped' && (day === null || !written.has(day)))
      objections.push(`order ${orderId} is shipped, but in no report`);
  }
  const [now = 0, ...before] = chain;
  // The day that goes on has its report already when the workers were stopped between the two.
  for (const day of before) if (!written.has(day)) objections.push(`day ${day} is over and has no report`);
  for (const day of written) if (!chain.includes(day)) objections.push(`the report of day ${day} was written by nobody`);
  if (before.some((day, index) => day !== now - 1 - index) || chain.at(-1) !== 1) {
    objections.push(`the days do not follow one another: ${chain.toReversed().join(', ')}`);
  }
  const total = reports.reduce((sum, { orders }) => sum + orders, 0);
  return {
    claim: `the daily reports add up: ${total} orders in ${reports.length} days, one workflow that began anew ${before.length} times`,
    objections,
  };
}
