// Holds the events that the parcel service got against what was shipped.
import type { Check, Evidence } from './evidence.js';

export function checkNotices({ outcomes, notices }: Evidence): Check {
  const objections: string[] = [];
  const stateOf = new Map(outcomes.map(({ order, result }) => [order.id, { state: result.state, pieces: order.quantity }]));
  const told = new Map<string, number>();
  for (const { orderId, type, pieces } of notices) {
    told.set(orderId, (told.get(orderId) ?? 0) + 1);
    const order = stateOf.get(orderId);
    // Another file of orders may have been run in the same database.
    if (order === undefined) continue;
    if (type !== 'order.shipped') objections.push(`an event of order ${orderId} is of type ${type}`);
    if (pieces !== order.pieces) objections.push(`order ${orderId} has ${order.pieces} pieces, its event says ${pieces}`);
  }
  for (const [orderId, { state }] of stateOf) {
    const count = told.get(orderId) ?? 0;
    if (count !== (state === 'shipped' ? 1 : 0)) objections.push(`order ${orderId} is ${state} and has ${count} events`);
  }
  const again = notices.reduce((sum, { times }) => sum + times - 1, 0);
  return {
    claim: `every parcel was announced by one event: ${notices.length} events, which came ${again} times too often`,
    objections,
  };
}
