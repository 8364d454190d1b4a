// What is still to be done when all orders have come to their end: events on their way, a day that is not over.
import { setTimeout as sleep } from 'node:timers/promises';
import { dailyReportId } from './daily-report.js';
import type { Shop } from './shop.js';

const pollMs = 50;

export class UnfinishedBusiness {
  readonly #shop: Pick<Shop, 'romancy' | 'stock'>;

  constructor(shop: Pick<Shop, 'romancy' | 'stock'>) {
    this.#shop = shop;
  }

  /** Whether every event has been sent or given up, and all that was shipped is in a report, provided that somebody writes reports. */
  async isDone(): Promise<boolean> {
    const { romancy, stock } = this.#shop;
    const { events } = await romancy.outbox.list({ status: ['pending', 'sending'], limit: 1 });
    if (events.length > 0) return false;
    const reporter = await romancy.get(dailyReportId);
    if (reporter === undefined || reporter.finishedAt !== null) return true;
    return (await stock.reservations()).every(({ state, day }) => state !== 'shipped' || day !== null);
  }

  /** Resolves when it is; rejects when the signal comes first. */
  async done(signal: AbortSignal): Promise<void> {
    while (!(await this.isDone())) await sleep(pollMs, undefined, { signal });
  }
}
