// How the shop talks to the parcel service.
import type { Order } from './order.js';
import { ParcelRefused } from './refusals.js';

export interface BookingRequest {
  /** The service books once per key, however often it is asked. */
  readonly idempotencyKey: string;
  readonly order: Order;
  readonly signal: AbortSignal;
}

export interface ParcelClient {
  /** @throws ParcelRefused; any other error says nothing about whether it was booked. */
  book(request: BookingRequest): Promise<void>;
}

export function createParcelClient(url: string): ParcelClient {
  return {
    async book({ idempotencyKey, order, signal }) {
      const response = await fetch(`${url}/parcels`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': idempotencyKey },
        body: JSON.stringify({ orderId: order.id, pieces: order.quantity }),
        signal,
      });
      const said = await response.text();
      if (response.status === 422) throw new ParcelRefused((JSON.parse(said) as { readonly reason: string }).reason);
      if (!response.ok) throw new Error(`the parcel service answered ${response.status}: ${said}`);
    },
  };
}
