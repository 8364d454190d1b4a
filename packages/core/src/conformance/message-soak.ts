// Messages and events in great numbers through worker processes that are killed all the time: counted at the end, nothing lost, nothing doubled.
import { expect, it, onTestFinished } from 'vitest';
import { isFinal } from '../domain/instance.js';
import { Romancy, type Storage } from '../index.js';
import { recordingLogger } from '../testing/index.js';
import type { WorkerProcess } from './durability-fixture.js';
import { SoakCrew } from './soak-crew.js';
import { resolveSoakOptions, type MessageSoakOptions, type ResolvedSoakOptions } from './soak-options.js';
import { expectComplete, receiptsOf } from './soak-receipts.js';
import {
  channels,
  everybody,
  goesByGroup,
  groupOf,
  kindOf,
  publishEvent,
  streamCount,
  subscriberCount,
  subscriberId,
  targetOf,
} from './soak-plan.js';
import type { Parcel, SoakPlan } from './soak-plan.js';
import { newTally, subscriber, type EmitOrder, type PublishOrder, type Tally } from './soak-workflows.js';

/** One empty database, for one test. */
export interface SoakFixture {
  readonly place: string;
  /** A file that is not there yet. */
  readonly sink: string;
  /** All that is in it. */
  readSink(): Promise<string>;
  /** A storage of this process. */
  createStorage(): Storage;
  /** Starts a process whose program calls `serveSoakWorker` with this plan. It does not outlive the test. */
  spawn(plan: SoakPlan): WorkerProcess;
}

const workerCount = 3;
/** How many calls from outside are under way at a time. */
const lanes = 40;

/**
 * Defines the tests in the vitest file that calls it. How much they do, environment variables say: `ROMANCY_SOAK_MESSAGES` how many messages
 * there are (default 100,000; a tenth as many events, 2,000 at least), `ROMANCY_SOAK_PARTS` in how many tests (default 1), `ROMANCY_SOAK_SEED`
 * what is random in them (default: something else in each run).
 * @param name what they are listed under.
 * @throws RangeError when a variable is no such number.
 */
export function messageSoak(name: string, factory: () => Promise<SoakFixture>, options: MessageSoakOptions): void {
  const { messages, publishers, events, seed, parts, leaseMs, waitMs, ...resolved } = resolveSoakOptions(options);

  const begin = async (failShare: number, killEvery: ResolvedSoakOptions['killEvery'] | null) => {
    const fixture = await factory();
    const { place, sink } = fixture;
    const plan: SoakPlan = { place, sink, leaseMs, waitMs, failShare };
    const app = new Romancy({ storage: fixture.createStorage(), logger: recordingLogger(), workflowPollInterval: 100 });
    await app.start();
    onTestFinished(() => app.stop());
    const crew = new SoakCrew({ size: workerCount, killEvery, seed, spawn: () => fixture.spawn(plan) });
    onTestFinished(() => crew.end());
    await crew.begin();
    return { app, crew, readSink: () => fixture.readSink() };
  };

  const each = Array.from({ length: parts }, (_, index) => index + 1);
  it.each(each)(
    `${name} brings ${messages} messages of ${publishers} publishers to whom they are for, part %i (seed ${seed})`,
    async () => {
      const { app, crew } = await begin(0, resolved.killEvery);
      const subscribers = Array.from({ length: subscriberCount }, (_, index) => index);
      for (const index of subscribers) {
        await app.startWorkflow(subscriber, newTally(index), { instanceId: subscriberId(index) });
      }
      await until(crew, 'all are subscribed', async () => (await app.groupMembers(everybody)).length === subscriberCount);

      const inside = Math.floor((messages * 0.9) / publishers);
      await inLanes(publishers, async (publisher) => {
        const data: PublishOrder = { publisher, from: publisher * inside, count: inside };
        await app.sendEvent({ type: publishEvent, source: 'soak', id: String(publisher), data });
        const outside = (messages - publishers * inside) / publishers;
        const first = publishers * inside;
        for (
          let number = first + Math.floor(publisher * outside);
          number < first + Math.floor((publisher + 1) * outside);
          number++
        ) {
          await publish(app, { number, publisher: `outside ${number}` });
        }
      });
      await untilEnded(
        app,
        crew,
        Array.from({ length: publishers }, (_, publisher) => `publisher:soak:${publisher}`),
      );

      const stop: Parcel = { number: -1, publisher: 'end' };
      await app.publish(channels.broadcast, stop);
      for (const index of subscribers) {
        await app.publish(channels.competing, stop);
        await app.sendTo(subscriberId(index), channels.direct, stop);
      }
      await untilEnded(app, crew, subscribers.map(subscriberId));
      const tallies = await Promise.all(subscribers.map((index) => app.getHandle<Tally>(subscriberId(index)).result()));
      expect(crew.kills).toBeGreaterThan(0);
      await crew.end();
      expectComplete(await receiptsOf(app), { messages, tallies });
    },
  );

  const sendAll = async (killEvery: ResolvedSoakOptions['killEvery'] | null): Promise<readonly string[]> => {
    const { app, crew, readSink } = await begin(0.2, killEvery);
    const names = Array.from({ length: streamCount }, (_, stream) => `s${stream}`);
    for (const stream of names) {
      const data: EmitOrder = { stream, count: events / streamCount };
      await app.sendEvent({ type: 'soak.emit', source: 'soak', id: stream, data });
    }
    await untilEnded(
      app,
      crew,
      names.map((stream) => `emitter:soak:${stream}`),
    );
    await until(crew, 'all events are sent', async () => {
      return (await app.outbox.list({ status: ['pending', 'sending'], limit: 1 })).events.length === 0;
    });
    expect((await app.outbox.list({ status: ['failed', 'invalid'], limit: 1 })).events).toEqual([]);
    if (killEvery !== null) expect(crew.kills).toBeGreaterThan(0);
    await crew.end();
    return (await readSink()).trimEnd().split('\n');
  };

  const inOrder = (sent: readonly string[]): void => {
    const next = new Map<string, number>();
    for (const id of sent) {
      const [stream, number] = id.split(':') as [string, string];
      // A repetition after a kill begins at most at what was not settled; what is new is the next one.
      expect(Number(number), `${id} after ${next.get(stream) ?? 0} of its stream`).toBeLessThanOrEqual(next.get(stream) ?? 0);
      if (Number(number) === (next.get(stream) ?? 0)) next.set(stream, Number(number) + 1);
    }
    expect([...next.values()]).toEqual(Array(streamCount).fill(events / streamCount));
  };

  it(`${name} sends ${events} events in order, each once, to a sink that fails at random`, async () => {
    const sent = await sendAll(null);
    inOrder(sent);
    expect(sent).toHaveLength(events);
  });

  it(`${name} sends ${events} events in order, each at least once, by relayers that are killed (seed ${seed})`, async () => {
    inOrder(await sendAll([100, 1000]));
  });
}

async function publish(app: Romancy, parcel: Parcel): Promise<void> {
  const { number } = parcel;
  const kind = kindOf(number);
  if (kind !== 'direct') await app.publish(channels[kind], parcel);
  else if (goesByGroup(number)) await app.publish(channels.direct, parcel, { group: groupOf(targetOf(number)) });
  else await app.sendTo(subscriberId(targetOf(number)), channels.direct, parcel);
}

async function inLanes(count: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

/** Looks until it comes true; gives up when nothing that can be counted has moved for long. */
async function until(crew: SoakCrew, what: string, look: () => Promise<boolean>, patienceMs = 120_000): Promise<void> {
  const end = performance.now() + patienceMs;
  while (!(await look())) {
    if (performance.now() > end) throw new Error(`${what}: did not come true. The workers said:\n${crew.output}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function untilEnded(app: Romancy, crew: SoakCrew, instanceIds: readonly string[]): Promise<void> {
  for (const instanceId of instanceIds) {
    await until(crew, `${instanceId} ends`, async () => {
      const seen = await app.get(instanceId);
      return seen !== undefined && isFinal(seen.status);
    });
    const { status, error } = (await app.get(instanceId))!;
    if (status !== 'completed') throw new Error(`${instanceId}: ${status}`, { cause: error });
  }
}
