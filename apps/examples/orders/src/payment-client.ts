// How the shop talks to the payment service.
import { TerminalError } from '@romancy/core';

/** A charge as the payment service reports it. */
export interface Payment {
  readonly id: string;
  /** Authorised at first, then settled or refused. */
  readonly state: 'authorised' | 'settled' | 'refused' | 'declined';
  /** Why it was refused or declined; null otherwise. */
  readonly reason: string | null;
}

/** The card was refused. A terminal error: trying again would be of no use. */
export class CardDeclined extends TerminalError {}

export interface ChargeRequest {
  /** The service charges once per key, however often it is asked. */
  readonly idempotencyKey: string;
  /** Comes back with the settlement, so that it finds its workflow. */
  readonly instanceId: string;
  readonly orderId: string;
  readonly card: string;
  /** In cents. */
  readonly amount: number;
  readonly signal: AbortSignal;
}

export interface PaymentClient {
  /** @throws CardDeclined; any other error says nothing about whether the card was charged. */
  charge(request: ChargeRequest): Promise<Payment>;
  find(paymentId: string, signal: AbortSignal): Promise<Payment>;
}

export function createPaymentClient(url: string): PaymentClient {
  return {
    async charge({ idempotencyKey, signal, ...body }) {
      const response = await fetch(`${url}/charges`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': idempotencyKey },
        body: JSON.stringify(body),
        signal,
      });
      const payment = await readPayment(response);
      if (payment.state === 'declined') throw new CardDeclined(payment.reason ?? 'declined');
      return payment;
    },

    async find(paymentId, signal) {
      return await readPayment(await fetch(`${url}/charges/${encodeURIComponent(paymentId)}`, { signal }));
    },
  };
}

async function readPayment(response: Response): Promise<Payment> {
  if (!response.ok) throw new Error(`the payment service answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as Payment;
}
