// The workflows of the soaks: subscribers that receive all the time, publishers that publish by every way, and senders of events.
import { defineWorkflow, WaitTimeoutError, type ActivityContext, type AnyWorkflow, type Sender } from '../index.js';
import { channels, everybody, goesByGroup, groupOf, kindOf, kinds, publishEvent, subscriberId, targetOf } from './soak-plan.js';
import type { Kind, Parcel } from './soak-plan.js';

export interface SoakEffects {
  /** Opens the activity's own transaction and writes a row of that key. */
  writeRow(ctx: ActivityContext, key: string): Promise<void>;
  /** Waits for a random time. */
  pause(): Promise<void>;
}

/** What a subscriber has counted, through all its parts. */
export interface Tally {
  readonly index: number;
  readonly part: number;
  readonly counts: Readonly<Record<Kind, number>>;
  readonly sums: Readonly<Record<Kind, number>>;
  readonly over: readonly Kind[];
}

export const newTally = (index: number): Tally => ({
  index,
  part: 0,
  counts: { broadcast: 0, competing: 0, direct: 0 },
  sums: { broadcast: 0, competing: 0, direct: 0 },
  over: [],
});

export interface PublishOrder {
  readonly publisher: number;
  readonly from: number;
  readonly count: number;
}

const perPart = 100;

export const subscriber = defineWorkflow('subscriber', async (ctx, tally: Tally): Promise<Tally> => {
  if (tally.part === 0) {
    for (const kind of kinds) await ctx.subscribe(channels[kind], kind);
    await ctx.joinGroup(groupOf(tally.index));
    await ctx.joinGroup(everybody);
  }
  const counts = { ...tally.counts };
  const sums = { ...tally.sums };
  const over = new Set(tally.over);
  const open = new Map<Kind, Promise<{ readonly kind: Kind; readonly data: Parcel | null }>>();
  // Waits for jobs that time out are under way in every third part, so that they meet arrivals of all sorts.
  const timeout = (kind: Kind): object => (kind === 'competing' && tally.part % 3 === 0 ? { timeout: 40 } : {});
  for (let taken = 0; taken < perPart; taken++) {
    for (const kind of kinds) {
      if (over.has(kind) || open.has(kind)) continue;
      const receiving = ctx.receive<Parcel>(channels[kind], timeout(kind)).then(
        ({ data }) => ({ kind, data }),
        (error: unknown) => {
          if (!(error instanceof WaitTimeoutError)) throw error;
          return { kind, data: null };
        },
      );
      open.set(kind, receiving);
    }
    if (open.size === 0) return { ...tally, counts, sums, over: [...over] };
    const { kind, data } = await Promise.race(open.values());
    open.delete(kind);
    if (data === null) continue;
    if (data.number < 0) over.add(kind);
    else {
      counts[kind]++;
      sums[kind] += data.number;
    }
    if (kind === 'competing' && taken === perPart / 2 && !over.has(kind)) {
      // Between two receives nothing may get lost that was on its way here.
      await ctx.unsubscribe(channels.competing);
      await ctx.subscribe(channels.competing, 'competing');
    }
  }
  return await ctx.recur({ ...tally, part: tally.part + 1, counts, sums, over: [...over] });
});

/** Sends what has these numbers, in that order. */
async function send(sender: Sender, publisher: number, numbers: readonly number[]): Promise<void> {
  for (const number of numbers) {
    const parcel: Parcel = { number, publisher: String(publisher) };
    const kind = kindOf(number);
    if (kind !== 'direct') await sender.publish(channels[kind], parcel);
    else if (goesByGroup(number)) await sender.publish(channels.direct, parcel, { group: groupOf(targetOf(number)) });
    else await sender.sendTo(subscriberId(targetOf(number)), channels.direct, parcel);
  }
}

export interface EmitOrder {
  readonly stream: string;
  readonly count: number;
}

/** Sends so many events of its stream, numbered, some from its body and some from activities. */
const emitter = (effects: SoakEffects): AnyWorkflow =>
  defineWorkflow(
    'emitter',
    async (ctx, { stream, count }: EmitOrder) => {
      const event = (number: number) => ({ id: `${stream}:${number}`, type: 'soaked', source: `/${stream}`, data: number });
      for (let number = 0; number < count;) {
        await ctx.sendEvent(event(number++));
        const few = [0, 1, 2].map((more) => number + more).filter((next) => next < count);
        number += few.length;
        const own = number % 3 === 0;
        await ctx.run('emit', async (activity) => {
          if (own) await effects.writeRow(activity, `${stream}:${few.join()}`);
          for (const next of few) await activity.sendEvent(event(next));
          await effects.pause();
        });
      }
    },
    { startOn: 'soak.emit' },
  );

/** Those that a worker process serves. */
export function soakWorkflows(effects: SoakEffects): readonly AnyWorkflow[] {
  const publisher = defineWorkflow(
    'publisher',
    async (ctx, { publisher: own, from, count }: PublishOrder) => {
      const numbers = Array.from({ length: count }, (_, index) => from + index);
      const third = Math.ceil(count / 3);
      await send(ctx, own, numbers.slice(0, third));
      await ctx.run('publish', (activity) => send(activity, own, numbers.slice(third, 2 * third)));
      await ctx.run('publish with a row', async (activity) => {
        await effects.writeRow(activity, `publisher ${own}`);
        await send(activity, own, numbers.slice(2 * third));
        // Others publish and commit meanwhile.
        await effects.pause();
      });
    },
    { startOn: publishEvent },
  );
  return [subscriber, publisher, emitter(effects)];
}
