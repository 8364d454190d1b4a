// Messages: how many per second go through a queue and to subscribers, and how soon one is received.
import { randomUUID } from 'node:crypto';
import { defineWorkflow, Romancy, type WorkflowHandle } from '@romancy/core';
import { alternate } from '../alternate.js';
import { comparedRow, type Effort, type Measurement, type ResultRow } from '../measurement.js';
import { pause } from '../pause.js';
import type { Place } from '../places/place.js';
import type { RawMail } from '../raw/raw-mail.js';
import { quantilePair, type Pair } from '../statistics.js';

const queue = 'jobs';
const news = 'news';
const consumers = 16;
const subscribers = 20;
/** So many publish at once, and so many connections has code by hand. */
const atOnce = 16;
const message = { order: 42, sku: 'lamp', note: 'x'.repeat(60) };
const text = JSON.stringify(message);

/** Told of each message in the line behind `receive`: how many there were, and when the last one came. */
class Arrivals {
  #count = 0;
  #wanted = 0;
  #resolve: (at: number) => void = () => undefined;

  readonly arrived = (): void => {
    if (++this.#count === this.#wanted) this.#resolve(performance.now());
  };

  /** Resolves with when so many more have come. */
  next(count: number): Promise<number> {
    this.#wanted = this.#count + count;
    return new Promise((resolve) => (this.#resolve = resolve));
  }
}

interface Talk {
  readonly romancy: Romancy;
  readonly mail: RawMail;
  readonly arrivals: Arrivals;
}

/** Part of an instance's life: so many messages, and then it begins anew, as one does that goes on for ever. */
const perPart = 50;

export const messages: Measurement = {
  name: 'messages',
  async run(place, effort) {
    return [
      await withReceivers(place, { label: 'queue', channel: queue, mode: 'competing', count: consumers }, (talk) =>
        queued(talk, effort),
      ),
      await withReceivers(place, { label: 'news', channel: news, mode: 'broadcast', count: subscribers }, (talk) =>
        spread(talk, effort),
      ),
      ...(await withReceivers(place, { label: 'soon', channel: news, mode: 'broadcast', count: 1 }, (talk) =>
        soon(talk, effort),
      )),
    ];
  },
};

/** An app with instances that wait for messages, and the tables of code by hand. */
async function withReceivers<T>(
  place: Place,
  {
    label,
    channel,
    mode,
    count,
  }: { readonly label: string; readonly channel: string; readonly mode: 'competing' | 'broadcast'; readonly count: number },
  work: (talk: Talk) => Promise<T>,
): Promise<T> {
  const arrivals = new Arrivals();
  const receiver = defineWorkflow('bench_receiver', async (ctx, isFirst: boolean): Promise<void> => {
    if (isFirst) await ctx.subscribe(channel, mode);
    for (let number = 0; number < perPart; number++) {
      await ctx.receive(channel);
      if (!ctx.isReplaying) arrivals.arrived();
    }
    await ctx.recur(false);
  });
  const romancy = new Romancy({ storage: await place.createStorage(`messages_${label}`), workflows: [receiver] });
  const mail = await place.openRawMail(`messages_${label}`, atOnce);
  try {
    await romancy.start();
    const handles: WorkflowHandle<void>[] = [];
    for (let number = 0; number < count; number++) handles.push(await romancy.startWorkflow(receiver, true));
    for (const handle of handles) while ((await handle.status()) !== 'waiting_for_message') await pause(5);
    return await work({ romancy, mail, arrivals });
  } finally {
    await romancy.stop();
    await mail.close();
  }
}

async function queued({ romancy, mail, arrivals }: Talk, effort: Effort): Promise<ResultRow> {
  let rawSeq = 0;
  const sides = (count: number) => ({
    async romancy() {
      const began = performance.now();
      const last = arrivals.next(count);
      await many(count, () => romancy.publish(queue, message));
      return (count * 1000) / ((await last) - began);
    },
    async raw() {
      const began = performance.now();
      let left = count;
      const taking = Array.from({ length: consumers }, async (_, consumer) => {
        while (left > 0) if ((await mail.take(`consumer ${consumer}`, ++rawSeq)) !== undefined) left--;
      });
      await Promise.all([many(count, () => mail.enqueue(text)), ...taking]);
      return (count * 1000) / (performance.now() - began);
    },
  });
  return comparedRow(
    { what: `queue, ${atOnce} publish and ${consumers} receive`, unit: 'messages/s' },
    await inTurns(sides, effort, { least: 200, perMessage: 1 }),
  );
}

async function spread({ romancy, mail, arrivals }: Talk, effort: Effort): Promise<ResultRow> {
  const receivers = Array.from({ length: subscribers }, (_, number) => `subscriber ${number}`);
  let rawSeq = 0;
  const sides = (count: number) => ({
    async romancy() {
      const began = performance.now();
      const last = arrivals.next(count * subscribers);
      await many(count, () => romancy.publish(news, message));
      return (count * subscribers * 1000) / ((await last) - began);
    },
    async raw() {
      const began = performance.now();
      const taking = receivers.map(async (receiver) => {
        for (let left = count; left > 0;) if ((await mail.receive(receiver, ++rawSeq)) !== undefined) left--;
      });
      await Promise.all([many(count, () => mail.fanOut(receivers, text)), ...taking]);
      return (count * subscribers * 1000) / (performance.now() - began);
    },
  });
  return comparedRow(
    { what: `broadcast to ${subscribers}`, unit: 'received/s' },
    await inTurns(sides, effort, { least: 20, perMessage: subscribers }),
  );
}

async function soon({ romancy, mail, arrivals }: Talk, { rounds, quick }: Effort): Promise<readonly ResultRow[]> {
  const receiver = randomUUID();
  let rawSeq = 0;
  const sides = {
    async romancy() {
      await pause(5);
      const began = performance.now();
      const arrived = arrivals.next(1);
      await romancy.publish(news, message);
      return (await arrived) - began;
    },
    async raw() {
      await pause(5);
      const began = performance.now();
      await mail.fanOut([receiver], text);
      await mail.receive(receiver, ++rawSeq);
      return performance.now() - began;
    },
  };
  await alternate(20, sides);
  const samples: (readonly Pair[])[] = [];
  for (let round = 0; round < rounds; round++) samples.push(await alternate(quick ? 30 : 100, sides));
  const at = (part: number): readonly Pair[] => samples.map((round) => quantilePair(round, part));
  return [comparedRow({ what: 'publish to receive, one at a time, median', unit: 'ms' }, at(0.5))];
}

/** Rates of both sides, with as many messages in a turn as the slower one gets through in its time. Each counts as often as it is received. */
async function inTurns(
  sides: (count: number) => { readonly romancy: () => Promise<number>; readonly raw: () => Promise<number> },
  effort: Effort,
  { least, perMessage }: { readonly least: number; readonly perMessage: number },
): Promise<readonly Pair[]> {
  const [first] = await alternate(1, sides(least));
  const [second] = await alternate(1, sides(least));
  const rate = Math.min(first!.romancy, first!.raw, second!.romancy, second!.raw) / perMessage;
  const count = Math.max(least, Math.round((rate * effort.roundMs) / 1000));
  return await alternate(effort.rounds, sides(count));
}

/** So many times, so many at once. */
async function many(count: number, one: () => Promise<unknown>): Promise<void> {
  let left = count;
  const workers = Array.from({ length: Math.min(atOnce, count) }, async () => {
    while (left-- > 0) await one();
  });
  await Promise.all(workers);
}
