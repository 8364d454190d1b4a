// The part of the payment service that settles payments after a while and reports them until the shop has confirmed.
import type { PaymentFaults } from './payment-faults.js';
import type { Charge, PaymentLedger } from './payment-ledger.js';
import { settlementEvent } from './settlement-event.js';

export interface SettlementDeskParts {
  readonly ledger: PaymentLedger;
  readonly faults: PaymentFaults;
  /** Where the shop takes events, and the token by which it knows who sends them. */
  readonly shop: { readonly url: string; readonly token: string };
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
    const { ledger, faults, shop } = this.#parts;
    try {
      const { headers, body } = settlementEvent(charge, faults.modeOf(charge.key));
      const response = await fetch(`${shop.url}/instances/${encodeURIComponent(charge.instanceId)}/events`, {
        method: 'POST',
        headers: { ...headers, authorization: `Bearer ${shop.token}` },
        body,
        signal: this.#closing.signal,
      });
      const said = await response.text();
      // The order has ended or is not there: the shop will not want this event later either.
      if (!response.ok && isFinal(said)) console.error(`${charge.id} is not wanted (${response.status}): ${said}`);
      else if (!response.ok) throw new Error(`the shop answered ${response.status}: ${said}`);
      ledger.markReported(charge.key);
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

/** Whether an answer says that another attempt is of no use. */
function isFinal(answer: string): boolean {
  try {
    return (JSON.parse(answer) as { readonly retryable?: unknown } | null)?.retryable === false;
  } catch {
    return false;
  }
}
