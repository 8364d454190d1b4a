// A settlement as a CloudEvent over HTTP, in the two ways in which producers write one.
import type { Charge } from './payment-ledger.js';

export type ContentMode = 'structured' | 'binary';

/** What is the same each time it is reported, so that the shop sees that it is one event: the source, and the payment's id. */
export function settlementEvent(
  charge: Charge,
  mode: ContentMode,
): { readonly headers: Record<string, string>; readonly body: string } {
  const { id, orderId, state, reason } = charge;
  const attributes = { specversion: '1.0', id, source: '/payment-service', type: 'payment.settled', subject: orderId };
  const data = { id, state, reason };
  if (mode === 'structured') {
    return { headers: { 'content-type': 'application/cloudevents+json' }, body: JSON.stringify({ ...attributes, data }) };
  }
  // Order ids may be of any script, headers may not.
  const headers = Object.entries(attributes).map(([name, value]): [string, string] => [`ce-${name}`, encodeURIComponent(value)]);
  return { headers: { ...Object.fromEntries(headers), 'content-type': 'application/json' }, body: JSON.stringify(data) };
}
