// Holds what was charged and given back against what became of the orders.
import type { Check, Evidence } from './evidence.js';

/** One charge for each order, and in the end nothing is paid for what was not shipped. */
export function checkCharges({ outcomes, charges, refunds }: Evidence): Check {
  const objections: string[] = [];
  const ofOrder = groupByOrder(charges);
  const backOf = groupByOrder(refunds);
  for (const { order, result } of outcomes) {
    const [charge, ...more] = ofOrder.get(order.id) ?? [];
    if (more.length > 0) objections.push(`order ${order.id} was charged ${more.length + 1} times`);
    const charged = charge?.state === 'settled' ? charge.amount : 0;
    const paid = (backOf.get(order.id) ?? []).reduce((sum, { amount }) => sum - amount, charged);
    const due = result.state === 'shipped' ? result.amount : 0;
    if (paid !== due) objections.push(`order ${order.id} is ${result.state}, ${due} cents are due, and ${paid} were paid`);
  }
  return {
    claim: `nobody was charged twice, or for nothing: ${charges.length} charges for ${ofOrder.size} orders, ${repeated(charges)} repeated requests known by their keys`,
    objections,
  };
}

/** Who is refunded had paid, and gets it once; nobody else gets anything. */
export function checkRefunds({ outcomes, charges, refunds }: Evidence): Check {
  const objections: string[] = [];
  const paidFor = new Map(charges.flatMap(({ orderId, state, amount }) => (state === 'settled' ? [[orderId, amount]] : [])));
  const ofOrder = groupByOrder(refunds);
  for (const { order, result } of outcomes) {
    const made = ofOrder.get(order.id) ?? [];
    const count = result.state === 'refunded' ? 1 : 0;
    if (made.length !== count) objections.push(`order ${order.id} is ${result.state} and has ${made.length} refunds`);
    for (const { amount } of made) {
      const paid = paidFor.get(order.id) ?? 0;
      if (amount !== paid) objections.push(`order ${order.id} was paid with ${paid} cents, and ${amount} went back`);
    }
  }
  return {
    claim: `whoever was refused after paying has the money back: ${refunds.length} refunds for ${ofOrder.size} orders, ${repeated(refunds)} repeated requests`,
    objections,
  };
}

function repeated(entries: readonly { readonly requests: number }[]): number {
  return entries.reduce((sum, { requests }) => sum + requests - 1, 0);
}

function groupByOrder<T extends { readonly orderId: string }>(entries: readonly T[]): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const entry of entries) groups.set(entry.orderId, [...(groups.get(entry.orderId) ?? []), entry]);
  return groups;
}
