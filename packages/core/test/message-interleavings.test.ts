// Receivers with random scripts against arrivals, timeouts, cancellations, crashes, stops and lost leases, on a storage that is slow and forgets answers:
// nothing is lost, doubled, or different in a replay.
import { expect, it } from 'vitest';
import { environmentNumber } from '../src/conformance/environment-number.js';
import { mortal, type MortalStorage } from '../src/conformance/engine-mortal-storage.js';
import { channelTopic } from '../src/domain/topic.js';
import type { Delivery } from '../src/ports/message-store.js';
import type { HistoryEntry } from '../src/domain/history.js';
import { Romancy, type AnyWorkflow, type Entropy, type ReceivedMessage, type RomancyOptions } from '../src/index.js';
import {
  createMemoryDatabase,
  createMemoryNotifierHub,
  createMemoryStorage,
  ManualClock,
  recordingLogger,
  seededEntropy,
  type Fault,
  type FaultPlan,
  type MemoryDatabase,
} from '../src/testing/index.js';
import { drive } from './crashing-story.js';
import { receiverOf, stop, type Channel, type Execution, type Move, type Script } from './random-receiver.js';

const stories = environmentNumber('ROMANCY_STORIES', { byDefault: 80 });
const firstSeed = environmentNumber('ROMANCY_SEED', { byDefault: 1, least: 0 });
/** They have shown what others had not: a look beyond what fits into memory, and several seeks that brought more than was taken, or a message to another wait. */
const tellingSeeds = [191, 253, 713, 3344];
const receivers = ['a', 'b', 'c'];

interface Told {
  readonly database: MemoryDatabase;
  readonly executions: readonly Execution[];
  /** Ids of the jobs that came from outside. */
  readonly jobs: readonly string[];
  /** Ids of the news that were owed to a receiver, by its id and the number of its subscription. */
  readonly owed: ReadonlyMap<string, readonly string[]>;
}

interface Process {
  readonly app: Romancy;
  readonly storage: MortalStorage;
}

class Story {
  readonly #database = createMemoryDatabase();
  readonly #clock = new ManualClock();
  readonly #hub = createMemoryNotifierHub();
  readonly #random: Entropy['random'];
  readonly #entropy: Entropy;
  readonly #hasNotifier: boolean;
  /** Milliseconds that a call of the storage takes at most, before and after its effect. */
  readonly #slowMs: number;
  readonly #executions: Execution[] = [];
  readonly #jobs: string[] = [];
  readonly #owed = new Map<string, string[]>();
  readonly #workflow = receiverOf({
    begin: (instanceId, part) => {
      const execution: Execution = { instanceId, part, got: [] };
      this.#executions.push(execution);
      return execution;
    },
    pause: (ms) => new Promise((resolve) => void this.#clock.schedule(ms, resolve)),
  });
  readonly #processes: Process[] = [];
  /** They die soon, if they have not yet: nobody can wait for the end of what they do. */
  readonly #doomed = new Set<MortalStorage>();

  constructor(seed: number) {
    this.#entropy = seededEntropy(seed);
    this.#random = this.#entropy.random;
    this.#hasNotifier = this.#random() < 0.5;
    this.#slowMs = this.#random() < 0.5 ? 0 : this.#upTo(20);
  }

  async tell(): Promise<Told> {
    const gateway = await this.#gateway();
    this.#processes.push(await this.#process(), await this.#process());
    for (const instanceId of receivers) {
      await this.#drive(this.#processes[0]!.app.startWorkflow(this.#workflow, this.#script(), { instanceId }));
    }
    const steps = 30 + this.#upTo(30);
    for (let step = 0; step < steps; step++) {
      await this.#happen(gateway);
      await this.#clock.advance(this.#upTo(12));
      await this.#replaceDead();
      this.#nobodyHoards();
      if (this.#random() < 0.05) await this.#leave();
    }
    // Not of the dead, who would come back.
    for (const { storage } of this.#processes) if (!storage.isDead) storage.storage.plan = {};
    await this.#replaceDead();
    // At rest everybody who has not ended waits for jobs: so none may be left. A wait that lost a race stays open, and has the last word before the last loop: so again.
    for (;;) {
      await this.#until(() => this.#isAtRest());
      const { open } = this.#database;
      if (open.size === 0) break;
      for (const instance of [...open]) {
        for (const channel of new Set(openWaits(instance).values())) {
          await this.#drive(gateway.sendTo(instance.instanceId, channel, stop).catch(() => undefined));
        }
      }
    }
    // One that is slow may have died since.
    for (const { app, storage } of this.#processes) {
      if (storage.isDead) continue;
      await this.#drive(app.stop()).catch((error: unknown) => {
        // Who dies while he stops is waited for in vain.
        if (!storage.isDead) throw error;
      });
    }
    await this.#drive(gateway.stop());
    return { database: this.#database, executions: this.#executions, jobs: this.#jobs, owed: this.#owed };
  }

  #upTo(most: number): number {
    return Math.floor(this.#random() * (most + 1));
  }

  #one<T>(...choices: readonly T[]): T {
    return choices[this.#upTo(choices.length - 1)]!;
  }

  #script(): Script {
    const moves = Array.from({ length: 3 + this.#upTo(9) }, (): Move => {
      const kind = this.#one<Move['do']>(
        ...(['receive', 'receive', 'receive', 'several', 'race', 'away', 'sleep', 'work', 'publish', 'recur'] as const),
      );
      switch (kind) {
        case 'receive':
          return { do: kind, channel: this.#one<Channel>('jobs', 'jobs', 'news'), timeout: this.#upTo(40) };
        case 'several':
          return { do: kind, timeouts: Array.from({ length: 2 + this.#upTo(2) }, () => this.#upTo(40)) };
        case 'race':
          return { do: kind, ms: this.#upTo(20) };
        case 'away':
          return { do: kind, channel: this.#one<Channel>('jobs', 'jobs', 'news'), ms: this.#one(0, 0, this.#upTo(20)) };
        case 'sleep':
        case 'work':
          return { do: kind, ms: this.#upTo(20) };
        default:
          return { do: kind };
      }
    });
    return { moves, at: 0, part: 0 };
  }

  /** Something from outside. */
  async #happen(gateway: Romancy): Promise<void> {
    const chance = this.#random();
    if (chance < 0.45) {
      for (let count = this.#upTo(3); count >= 0; count--) {
        const { messageId } = await this.#drive(gateway.publish('jobs', 'job'));
        this.#jobs.push(messageId);
      }
    } else if (chance < 0.7) await this.#drive(gateway.publish('news', 'new'));
    else if (chance < 0.73) await this.#drive(gateway.cancel(this.#one(...receivers)).catch(() => undefined));
    else if (chance < 0.85) this.#dieSoon(this.#one(...this.#processes));
  }

  /** At one of its next commits, before or after it takes effect. */
  #dieSoon({ storage }: Process): void {
    this.#doomed.add(storage);
    const when = this.#one('before', 'after');
    let left = 1 + this.#upTo(3);
    const die = async ({ name }: { readonly name: string }): Promise<void> => {
      if (!/^runs\.(commit|claim|readSignals)$/.test(name) || --left > 0) return;
      storage.die();
      await new Promise(() => undefined);
    };
    storage.storage.plan = { ...this.#slow, [when]: die };
  }

  /** A process hands over what it has and stops, or is declared dead though it lives. */
  async #leave(): Promise<void> {
    const index = this.#upTo(this.#processes.length - 1);
    const { app, storage } = this.#processes[index]!;
    if (this.#doomed.has(storage)) return;
    if (this.#random() < 0.5) {
      const other = createMemoryStorage({ database: this.#database });
      await other.open({ clock: this.#clock, logger: recordingLogger() });
      await other.leases.retire({ workerId: app.status().workerId });
      await other.close();
      return;
    }
    await this.#drive(app.stop());
    this.#processes[index] = await this.#process();
  }

  readonly #slow: FaultPlan = { fault: ({ name }) => (/^(runs|messages)/.test(name) ? this.#fault() : undefined) };

  /** Slow as the story says, and now and then an answer is lost, or the call was never made. */
  #fault(): Fault {
    if (this.#slowMs === 0) return {};
    const chance = this.#random();
    const fail = chance < 0.02 ? ({ fail: 'before' } as const) : chance < 0.04 ? ({ fail: 'after' } as const) : {};
    return { delayMs: this.#upTo(this.#slowMs), answerDelayMs: this.#upTo(this.#slowMs), ...fail };
  }

  async #replaceDead(): Promise<void> {
    for (const [index, { app, storage }] of this.#processes.entries()) {
      if (!storage.isDead) continue;
      this.#processes[index] = await this.#process();
      await this.#processes[index].storage.storage.leases.retire({ workerId: app.status().workerId });
    }
  }

  async #process(): Promise<Process> {
    const storage = mortal(createMemoryStorage({ database: this.#database }));
    const app = this.#app(storage.storage, { workflows: [this.#workflow] });
    await this.#drive(app.start());
    storage.storage.plan = this.#slow;
    return { app, storage };
  }

  /** Sees, in the moment in which something is published, who is subscribed. */
  async #gateway(): Promise<Romancy> {
    const within = createMemoryStorage({ database: this.#database });
    const { messages } = within;
    const deliver: typeof messages.deliver = (message) => {
      if (message.topic === channelTopic('news') && message.to.type === 'subscribers') {
        for (const { instanceId, history } of this.#database.topics.get(message.topic)?.subscribers ?? []) {
          const key = `${instanceId} ${history.filter((entry) => isOf(entry, 'subscribed', 'news')).length}`;
          this.#owed.set(key, [...(this.#owed.get(key) ?? []), message.messageId]);
        }
      }
      return messages.deliver(message);
    };
    // One after the other: what a test sees of each is then as of its own moment.
    const deliverAll: typeof messages.deliverAll = async (list) => {
      const deliveries: Delivery[] = [];
      for (const message of list) deliveries.push(await deliver(message));
      return deliveries;
    };
    const watched = {
      fixMode: (request: Parameters<typeof messages.fixMode>[0]) => messages.fixMode(request),
      members: (group: string) => messages.members(group),
      deliver,
      deliverAll,
    };
    const app = this.#app(
      { ...within, messages: watched, open: (context) => within.open(context), close: () => within.close() },
      {},
    );
    await this.#drive(app.start());
    return app;
  }

  #app(storage: RomancyOptions['storage'], more: { readonly workflows?: readonly AnyWorkflow[] }): Romancy {
    return new Romancy({
      storage,
      clock: this.#clock,
      entropy: this.#entropy,
      logger: recordingLogger(),
      ...(this.#hasNotifier
        ? { notifier: this.#hub.createNotifier() }
        : { workflowPollInterval: 20, timerPollInterval: 20, channelTimeoutInterval: 20, leaseDuration: '1s' }),
      // Mail does not fit into one reading.
      maxMessagesPerBatch: 3,
      ...more,
    });
  }

  /** Who is put away and does not wait for a job gets none, so that others do. */
  #nobodyHoards(): void {
    const topic = channelTopic('jobs');
    for (const instance of this.#database.open) {
      const { owner, status, attention, mail, instanceId } = instance;
      if (owner !== null || !status.startsWith('waiting') || attention) continue;
      if ([...openWaits(instance).values()].includes('jobs')) continue;
      expect(this.#database.topics.get(topic)?.seekers.has(instance) ?? false, `${instanceId} seeks`).toBe(false);
      expect(
        mail.filter(({ queued }) => queued !== null),
        `${instanceId} keeps`,
      ).toEqual([]);
    }
  }

  #isAtRest(): boolean {
    const { open, topics } = this.#database;
    // Who waits for a limited time is still at his script.
    for (const { status, mail, owner, wakeAt } of open)
      if (owner !== null || status !== 'waiting_for_message' || wakeAt !== null || mail.length > 0) return false;
    return open.size === 0 || (topics.get(channelTopic('jobs'))?.queue.length ?? 0) === 0;
  }

  async #until(look: () => boolean): Promise<void> {
    for (let round = 0; !look(); round++) {
      // Longer than a lease: a process may have died under an identity that it took anew.
      if (round > 9000) throw new Error(`did not come true: ${look.toString()}; ${this.#describe()}`);
      await this.#clock.advance(10);
    }
  }

  #describe(): string {
    const { instances, topics } = this.#database;
    const queue = topics.get(channelTopic('jobs'))?.queue.map(({ messageId }) => messageId.slice(0, 4));
    const seekers = [...(topics.get(channelTopic('jobs'))?.seekers ?? [])].map(({ instanceId }) => instanceId);
    const all = [...instances.values()].map(({ instanceId, status, owner, mail, error, input, attention, wakeAt, history }) => ({
      ...{ instanceId, status, owner, error, input, attention, wakeAt },
      mail: mail.map(({ topic, messageId }) => `${topic} ${messageId.slice(0, 4)}`),
      history: history.slice(-12).map(({ kind, callId }) => `${kind} ${callId}`),
    }));
    return JSON.stringify({ queue, seekers, all }, null, 1);
  }

  #drive<T>(promise: Promise<T>): Promise<T> {
    return drive(this.#clock, promise, 1);
  }
}

function isOf({ kind, data }: HistoryEntry, wanted: HistoryEntry['kind'], channel: Channel): boolean {
  return kind === wanted && (JSON.parse(data!) as { readonly channel: string }).channel === channel;
}

function check({ database, executions, jobs, owed }: Told): void {
  const received: string[] = [];
  const published = [...jobs];
  for (const instanceId of receivers) {
    const { history, status } = database.instances.get(instanceId)!;
    expect(['completed', 'cancelled']).toContain(status);
    const parts: string[][] = [[]];
    let subscription = 0;
    let news: string[] = [];
    const checkNews = (): void => {
      const all = owed.get(`${instanceId} ${subscription}`) ?? [];
      expect(news, `news of ${instanceId}, in order, none left out`).toEqual(all.slice(0, news.length));
      news = [];
    };
    for (const entry of history) {
      const { kind, data } = entry;
      if (kind === 'carried_over') parts.push([]);
      else if (kind === 'published') published.push(JSON.parse(data!) as string);
      else if (isSubscribed(entry)) {
        checkNews();
        subscription++;
      } else if (kind === 'message_received') {
        const { id, channel, data: what } = JSON.parse(data!) as ReceivedMessage<string>;
        parts.at(-1)!.push(id);
        if (what === stop) continue;
        if (channel === 'jobs') received.push(id);
        else news.push(id);
      }
    }
    if (status === 'completed') expect(news).toEqual(owed.get(`${instanceId} ${subscription}`) ?? []);
    checkNews();
    for (const [part, expected] of parts.entries()) {
      const all = executions.filter((one) => one.instanceId === instanceId && one.part === part).map(({ got }) => got);
      // Who is cancelled may end without its code being run again.
      if (status === 'cancelled' && part === parts.length - 1) continue;
      // The last one, as a rule; a process that was declared dead may have begun another one behind it.
      expect(all, `what part ${part} of ${instanceId} was handed`).toContainEqual(expected);
    }
  }
  const queued = database.topics.get(channelTopic('jobs'))?.queue.map(({ messageId }) => messageId) ?? [];
  expect([...received, ...queued].sort(), 'each job is received once, or queued').toEqual(published.sort());
}

/** The waits of the part that goes on, by their ids. */
function openWaits({ history }: { readonly history: readonly HistoryEntry[] }): ReadonlyMap<string, Channel> {
  const open = new Map<string, Channel>();
  for (const { kind, callId, data } of history) {
    if (kind === 'carried_over') open.clear();
    else if (kind === 'receive_set') open.set(callId, JSON.parse(data!) as Channel);
    else if (kind === 'message_received' || kind === 'receive_timed_out') open.delete(callId);
  }
  return open;
}

function isSubscribed(entry: HistoryEntry): boolean {
  return entry.kind === 'subscribed' && isOf(entry, 'subscribed', 'news');
}

it(
  `each job reaches one receiver once and each message of news all in order, ${stories} times`,
  { timeout: 600_000 },
  async () => {
    let crashes = 0;
    let receipts = 0;
    const seeds = Array.from({ length: stories }, (_, index) => firstSeed + index);
    for (const seed of new Set([...tellingSeeds, ...seeds])) {
      try {
        const told = await new Story(seed).tell();
        check(told);
        crashes += told.executions.length;
        receipts += told.jobs.length;
      } catch (error) {
        throw new Error(`seed ${seed}`, { cause: error });
      }
    }
    // Executions were broken off and repeated, and there was something to receive.
    expect(crashes).toBeGreaterThan(stories * receivers.length);
    expect(receipts).toBeGreaterThan(stories * 5);
  },
);
