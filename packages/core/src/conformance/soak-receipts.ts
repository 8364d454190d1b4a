// What all subscribers have recorded as received, and whether that is all, once, and in order.
import { expect } from 'vitest';
import type { ReceivedMessage, Romancy } from '../index.js';
import { channels, kindOf, kinds, subscriberCount, targetOf } from './soak-plan.js';
import type { Kind, Parcel } from './soak-plan.js';
import type { Tally } from './soak-workflows.js';

type Receipts = readonly Readonly<Record<Kind, readonly Parcel[]>>[];

/** By subscriber, in the order in which they were received; from the histories of all parts. */
export async function receiptsOf(app: Romancy): Promise<Receipts> {
  const entries: { readonly seq: number; readonly message: ReceivedMessage<Parcel> }[][] = Array.from(
    { length: subscriberCount },
    () => [],
  );
  let cursor: string | undefined;
  do {
    const page = await app.list({ workflowName: 'subscriber', limit: 100, cursor });
    for (const { instanceId } of page.instances) {
      const index = Number(instanceId.split('~')[0]!.split('-')[1]);
      for await (const { seq, data } of receiptsIn(app, instanceId)) entries[index]!.push({ seq, message: data });
    }
    cursor = page.cursor;
  } while (cursor !== undefined);
  return entries.map((own) => {
    own.sort((a, b) => a.seq - b.seq);
    const of = (kind: Kind): Parcel[] =>
      own
        .map(({ message }) => message)
        .filter(({ channel, data }) => channel === channels[kind] && data.number >= 0)
        .map(({ data }) => data);
    return { broadcast: of('broadcast'), competing: of('competing'), direct: of('direct') };
  });
}

async function* receiptsIn(app: Romancy, instanceId: string) {
  let after = 0;
  for (;;) {
    const page = await app.history(instanceId, { after });
    for (const { kind, seq, data } of page) {
      if (kind === 'message_received') yield { seq, data: data as ReceivedMessage<Parcel> };
    }
    if (page.length === 0) return;
    after = page.at(-1)!.seq;
  }
}

export function expectComplete(
  receipts: Receipts,
  { messages, tallies }: { readonly messages: number; readonly tallies: readonly Tally[] },
): void {
  const all = Array.from({ length: messages }, (_, number) => number);
  const broadcast = all.filter((number) => kindOf(number) === 'broadcast');
  expectSame(
    receipts.flatMap(({ competing }) => competing),
    all.filter((number) => kindOf(number) === 'competing'),
    'competing',
  );
  for (const [index, own] of receipts.entries()) {
    const direct = all.filter((number) => kindOf(number) === 'direct' && targetOf(number) === index);
    expectSame(own.broadcast, broadcast, `broadcast of subscriber ${index}`);
    expectSame(own.direct, direct, `direct of subscriber ${index}`);
    expectInOrder(own.broadcast);
    expectInOrder(own.direct);
    for (const kind of kinds) {
      const sum = own[kind].reduce((total, { number }) => total + number, 0);
      const counted = [tallies[index]!.counts[kind], tallies[index]!.sums[kind]];
      expect(counted, `what subscriber ${index} counted, ${kind}`).toEqual([own[kind].length, sum]);
    }
  }
}

/** Not by an assertion for all: of a hundred thousand, only those that are wrong are worth showing. */
function expectSame(received: readonly Parcel[], expected: readonly number[], what: string): void {
  const counts = new Map<number, number>();
  for (const { number } of received) counts.set(number, (counts.get(number) ?? 0) + 1);
  const lost = expected.filter((number) => !counts.has(number));
  const doubled = [...counts].filter(([, count]) => count > 1).map(([number]) => number);
  const known = new Set(expected);
  const foreign = [...counts.keys()].filter((number) => !known.has(number));
  expect({ lost, doubled, foreign }, what).toEqual({ lost: [], doubled: [], foreign: [] });
}

/** Of one publisher, a receiver gets first what was published first. */
function expectInOrder(received: readonly Parcel[]): void {
  const last = new Map<string, number>();
  for (const { publisher, number } of received) {
    expect(number).toBeGreaterThan(last.get(publisher) ?? -1);
    last.set(publisher, number);
  }
}
