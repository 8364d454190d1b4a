// How the shop talks to the payment service.
import { CardDeclined } from './refusals.js';

/** A charge as the payment service reports it. */
export interface Payment {
  readonly id: string;
  /** Authorised at first, then settled or refused. */
  readonly state: 'authorised' | 'settled' | 'refused' | 'declined';
  /** Why it was refused or declined; null otherwise. */
  readonly reason: string | null;
}

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

export interface RefundRequest {
  /** The service refunds once per key, however often it is asked. */
  readonly idempotencyKey: string;
  readonly paymentId: string;
  readonly signal: AbortSignal;
}

export interface PaymentClient {
  /** @throws CardDeclined; any other error says nothing about whether the card was charged. */
  charge(request: ChargeRequest): Promise<Payment>;
  /** Gives back what was paid; where nothing was, nothing ever will be. */
  refund(request: RefundRequest): Promise<void>;
  find(paymentId: string, signal: AbortSignal): Promise<Payment>;
}

export function createPaymentClient(url: string): PaymentClient {
  const post = async (path: string, { idempotencyKey, signal, ...body }: ChargeRequest | RefundRequest): Promise<Payment> =>
    readPayment(
      await fetch(`${url}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': idempotencyKey },
        body: JSON.stringify(body),
        signal,
      }),
    );
  return {
    async charge(request) {
      const payment = await post('/charges', request);
      if (payment.state === 'declined') throw new CardDeclined(payment.reason ?? 'declined');
      return payment;
    },

    async refund(request) {
      await post('/refunds', request);
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
