// The part of the payment service that settles payments after a while and reports them until the shop has confirmed.
import type { PaymentFaults } from './payment-faults.js';
import type { Charge, PaymentLedger } from './payment-ledger.js';

export interface SettlementDeskParts {
  readonly ledger: PaymentLedger;
  readonly faults: PaymentFaults;
  readonly webhookUrl: string;
}

const firstDelayMs = 100;
const longestDelayMs = 2_000;

export class SettlementDesk {
  readonly #parts: SettlementDeskParts;
  readonly #closing = new AbortController();
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(parts: SettlementDeskParts) {
    this.#parts = parts;
  }

  /** Goes on with what an earlier process has left. */
  resume(): void {
    for (const charge of this.#parts.ledger.unreported()) this.take(charge);
  }

  /** Settles a charge when its time has come, and reports it. A second time: it is reported once more. */
  take(charge: Charge): void {
    const { ledger, faults } = this.#parts;
    this.#later(faults.settlementDelayOf(charge.key), () => {
      const settled = ledger.settle(charge.key);
      for (let count = faults.reportsOf(charge.key); count > 0; count--) void this.#report(settled, firstDelayMs);
    });
  }

  close(): void {
    this.#closing.abort();
    for (const timer of this.#timers) clearTimeout(timer);
  }

  async #report(charge: Charge, retryDelayMs: number): Promise<void> {
    try {
      const response = await fetch(this.#parts.webhookUrl, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(charge),
        signal: this.#closing.signal,
      });
      await response.arrayBuffer();
      // 410: the shop knows this order no more, and asking again will not bring it back.
      if (!response.ok && response.status !== 410) throw new Error(`the shop answered ${response.status}`);
      this.#parts.ledger.markReported(charge.key);
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      console.error(`${charge.id} could not be reported, again in ${retryDelayMs} ms:`, error);
      this.#later(retryDelayMs, () => void this.#report(charge, Math.min(retryDelayMs * 2, longestDelayMs)));
    }
  }

  #later(delayMs: number, work: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, delayMs);
    this.#timers.add(timer);
  }
}
