// Messages, seekers and ends of runs at the same moment: nothing waits in a circle, nothing is lost, nothing comes twice.
import type { Effect, OutgoingMessage, Storage } from '@romancy/core/ports';
import { createDatabase } from '@romancy/test-support';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockWaits } from './lock-waits.js';
import { openStorage, registered } from './open-storage.js';
import { batch, complete, newEntry, newInstance, park } from './worker-calls.js';

const jobs = ['channel:a', 'channel:b'];

let storage: Storage;
let outside: pg.Client;
let looker: pg.Client;

beforeEach(async () => {
  const { url } = await createDatabase();
  storage = await openStorage({ connectionString: url, maxConnections: 24 });
  outside = new pg.Client({ connectionString: url });
  looker = new pg.Client({ connectionString: url });
  await Promise.all([outside.connect(), looker.connect()]);
  for (const topic of jobs) await storage.messages.fixMode({ topic, mode: 'competing' });
  await storage.messages.fixMode({ topic: 'channel:news', mode: 'broadcast' });
});

afterEach(() => Promise.all([outside.end(), looker.end()]));

/** One entry of an instance, and what it brings about. */
function step(
  instanceId: string,
  seq: number,
  effects: readonly Bare<Effect>[],
): Pick<Parameters<typeof batch>[1], 'entries' | 'effects'> {
  return { entries: [newEntry(instanceId, seq)], effects: effects.map((effect): Effect => ({ ...effect, instanceId, seq })) };
}

type Bare<T> = T extends unknown ? Omit<T, 'instanceId' | 'seq'> : never;

function message(messageId: string, topic: string, to: OutgoingMessage['to'] = { type: 'subscribers' }): OutgoingMessage {
  return { messageId, topic, data: JSON.stringify(messageId), to };
}

const subscribed = (instanceId: string): { instanceId: string; topic: string; mode: 'competing' }[] =>
  jobs.map((topic) => ({ instanceId, topic, mode: 'competing' }));

async function queued(): Promise<number> {
  return (await looker.query('SELECT FROM romancy.queued_messages')).rowCount!;
}

/** A pseudo-random number below `most`, the same ones each time. */
function randomly(seed: number): (most: number) => number {
  let state = seed + 1;
  return (most) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * most);
  };
}

/** Subscribes, seeks, takes some, gives up others, and ends with what it has; again and again, until all was taken. */
async function seekerLives(name: string, taken: string[], isDone: () => boolean): Promise<void> {
  const worker = await registered(storage, `worker of ${name}`);
  const random = randomly(name.length * 7 + Number(name.slice(-1)));
  for (let life = 0; !isDone(); life++) {
    const id = `${name}-${life}`;
    await storage.runs.commit(
      batch(worker, {
        starts: [newInstance(id)],
        subscriptions: subscribed(id),
        ...step(id, 1, [{ type: 'join', group: 'all' }]),
      }),
    );
    const turns = 4 + random(8);
    for (let turn = 0; turn < turns && !isDone(); turn++) {
      const seeks = jobs.filter(() => random(4) > 0).map((topic) => ({ type: 'seek', topic }) as const);
      const unseeks = jobs.filter(() => random(6) === 0).map((topic) => ({ type: 'unseek', topic }) as const);
      await storage.runs.commit(batch(worker, step(id, 2 + turn, [...unseeks, ...seeks])));
      const [signals] = await storage.runs.readSignals({ workerId: worker, instanceIds: [id], mailLimit: 100 });
      const mine = signals!.mail.filter(({ isQueued }) => isQueued && random(5) > 0);
      if (mine.length === 0) continue;
      await storage.runs.commit(batch(worker, { takenMail: mine.map(({ mailId }) => ({ instanceId: id, mailId })) }));
      taken.push(...mine.map(({ data }) => JSON.parse(data) as string));
    }
    await storage.runs.commit(batch(worker, { settlements: [complete(id)] }));
  }
}

describe('64 publishers, 5 seekers that come and go, a group and one that gets everything', () => {
  it('neither wait in a circle nor lose or double a message', { timeout: 120_000 }, async () => {
    const sink = await registered(storage, 'sink');
    const publisher = await registered(storage, 'publisher');
    const names = Array.from({ length: 64 }, (_, index) => `publisher-${String(index).padStart(2, '0')}`);
    await storage.runs.commit(
      batch(sink, { starts: [newInstance('sink')], ...step('sink', 1, [{ type: 'join', group: 'all' }]) }),
    );
    await storage.runs.commit(batch(sink, { subscriptions: [{ instanceId: 'sink', topic: 'channel:news', mode: 'broadcast' }] }));
    await storage.runs.commit(batch(publisher, { starts: names.map((id) => newInstance(id)) }));

    const rounds = 6;
    const expected = names.flatMap((name) => Array.from({ length: rounds * 3 }, (_, index) => `${name}:${index}`));
    const taken: string[] = [];
    const end = performance.now() + 90_000;
    const isDone = (): boolean => taken.length >= expected.length || performance.now() > end;
    const publishes = names.map(async (name, index) => {
      const random = randomly(index);
      for (let round = 0; round < rounds; round++) {
        const ids = [0, 1].map((which) => `${name}:${round * 3 + which}`);
        const topics = random(2) === 0 ? jobs : [...jobs].reverse();
        const work = batch(
          publisher,
          step(name, round + 1, [
            ...ids.map((id, which) => ({ type: 'message', message: message(id, topics[which]!) }) as const),
            { type: 'message', message: message(`group ${name} ${round}`, 'channel:all', { type: 'group', group: 'all' }) },
            { type: 'message', message: message(`news ${name} ${round}`, 'channel:news') },
            {
              type: 'message',
              message: message(`direct ${name} ${round}`, 'channel:direct', { type: 'instance', instanceId: 'sink' }),
            },
          ]),
        );
        await storage.runs.commit(work);
        // As after an answer that was lost.
        if (random(3) === 0) await storage.runs.commit(work);
        const last = message(`${name}:${round * 3 + 2}`, jobs[random(2)]!);
        await storage.messages.deliver({ ...last, source: '/test', starts: null });
      }
      await storage.runs.commit(batch(publisher, { settlements: [complete(name)] }));
    });
    const seekers = Array.from({ length: 5 }, (_, index) => seekerLives(`seeker-${index}`, taken, isDone));
    await Promise.all([...publishes, ...seekers]);

    expect(taken.toSorted()).toEqual(expected.toSorted());
    expect(await queued()).toBe(0);
    const [signals] = await storage.runs.readSignals({ workerId: sink, instanceIds: ['sink'], mailLimit: 10_000 });
    const mail = signals!.mail.map(({ data }) => JSON.parse(data) as string);
    const each = names.flatMap((name) => Array.from({ length: rounds }, (_, round) => `${name} ${round}`));
    for (const kind of ['group', 'news', 'direct']) {
      const got = mail.filter((data) => data.startsWith(kind)).map((data) => data.slice(kind.length + 1));
      expect(got.toSorted()).toEqual(each.toSorted());
      // In the order in which each of them sent it.
      for (const name of names) {
        expect(got.filter((data) => data.startsWith(name))).toEqual(
          Array.from({ length: rounds }, (_, round) => `${name} ${round}`),
        );
      }
    }
  });
});

describe('a publisher and a seeker that meet at the lock of the topic', () => {
  /** Lets both run up to that lock, one after the other, and then go. */
  async function meet(first: () => Promise<unknown>, second: () => Promise<unknown>): Promise<void> {
    const worker = await registered(storage, 'holder');
    await storage.runs.commit(batch(worker, { starts: [newInstance('holder')], subscriptions: subscribed('holder') }));
    await outside.query('BEGIN');
    // Whatever holds the lock: a seek within a transaction of an activity does, until that commits.
    const held = await storage.transactions.begin({ signal: new AbortController().signal });
    await outside.query(
      `SELECT pg_advisory_xact_lock(hashtextextended('romancy topic romancy ' || t, 0)) FROM unnest($1::text[]) AS t`,
      [jobs],
    );
    const firstDone = first();
    await lockWaits(looker, 1);
    const secondDone = second();
    await lockWaits(looker, 2);
    await outside.query('COMMIT');
    await Promise.all([firstDone, secondDone]);
    await held.rollback();
  }

  it.for(['publisher', 'seeker'])('the %s first: the message arrives', async (first) => {
    const worker = await registered(storage, 'worker');
    await storage.runs.commit(batch(worker, { starts: [newInstance('one')], subscriptions: subscribed('one') }));
    const seek = (): Promise<unknown> => storage.runs.commit(batch(worker, step('one', 1, [{ type: 'seek', topic: jobs[0]! }])));
    const publish = (): Promise<unknown> =>
      storage.messages.deliver({ ...message('m', jobs[0]!), source: '/test', starts: null });
    await (first === 'seeker' ? meet(seek, publish) : meet(publish, seek));
    const [signals] = await storage.runs.readSignals({ workerId: worker, instanceIds: ['one'], mailLimit: 10 });
    expect(signals!.mail).toMatchObject([{ data: '"m"', isQueued: true }]);
    expect(await queued()).toBe(0);
  });

  it('a publisher that found no mode, and the first subscription that makes it broadcast: nothing stays in the queue', async () => {
    const topic = 'channel:new';
    await outside.query('BEGIN');
    await outside.query(`SELECT pg_advisory_xact_lock(hashtextextended('romancy topic romancy ${topic}', 0))`);
    const fixing = storage.messages.fixMode({ topic, mode: 'broadcast' });
    await lockWaits(looker, 1);
    const publishing = storage.messages.deliver({ ...message('m', topic), source: '/test', starts: null });
    await lockWaits(looker, 2);
    await outside.query('COMMIT');
    expect(await fixing).toBe('broadcast');
    expect(await publishing).toMatchObject({ outcome: 'delivered', receivers: 0 });
    expect(await queued()).toBe(0);
  });
});

describe('a message to a topic whose mode is forgotten at the same moment', () => {
  it('goes nowhere, and is not queued without the lock of the topic', async () => {
    const worker = await registered(storage, 'worker');
    await storage.runs.commit(batch(worker, { starts: [newInstance('sender')] }));
    // Between the look at the mode and that at the receivers, a commit waits for who is starting the same id.
    await outside.query('BEGIN');
    await outside.query(
      `INSERT INTO romancy.instances (instance_id, workflow_name, status, start_token, input, created_at)
        VALUES ('contended', 'order', 'pending', 'another', '1', now())`,
    );
    const publishing = storage.runs.commit(
      batch(worker, {
        starts: [newInstance('contended')],
        ...step('sender', 1, [{ type: 'message', message: message('m', 'channel:news') }]),
      }),
    );
    await lockWaits(looker, 1);
    await looker.query(`DELETE FROM romancy.channels WHERE topic = 'channel:news'`);
    await outside.query('ROLLBACK');
    expect(await publishing).toMatchObject({ conflicts: [], undelivered: [] });
    expect(await queued()).toBe(0);
  });
});

describe('those who seek already', () => {
  it('are not waited for by who merely begins to, nor by more than there are messages for', async () => {
    const worker = await registered(storage, 'worker');
    const ids = ['a', 'b', 'c', 'd'];
    await storage.runs.commit(
      batch(worker, { starts: ids.map((id) => newInstance(id)), subscriptions: ids.flatMap((id) => subscribed(id)) }),
    );
    const seek = (instanceId: string, seq: number): Promise<unknown> =>
      storage.runs.commit(batch(worker, step(instanceId, seq, [{ type: 'seek', topic: jobs[0]! }])));
    await seek('a', 1);
    await seek('b', 1);
    await outside.query('BEGIN');
    await outside.query(`SELECT FROM romancy.instances WHERE instance_id = 'b' FOR NO KEY UPDATE`);
    await seek('c', 1);
    // To the first who seeks, and `b` is the second.
    const published = await storage.runs.commit(
      batch(
        worker,
        step('d', 1, [
          { type: 'message', message: message('m', jobs[0]!) },
          { type: 'seek', topic: jobs[1]! },
        ]),
      ),
    );
    expect(published).toMatchObject({ refused: [] });
    await outside.query('ROLLBACK');
    const signals = await storage.runs.readSignals({ workerId: worker, instanceIds: ids, mailLimit: 10 });
    expect(signals.map(({ mail }) => mail.length)).toEqual([1, 0, 0, 0]);
  }, 20_000);
});

describe('commits that change rows of each other', () => {
  it('lock them in one order, whatever they do to them', { timeout: 60_000 }, async () => {
    const ids = Array.from({ length: 6 }, (_, index) => `instance-${index}`);
    const worker = await registered(storage, 'worker');
    await storage.runs.commit(batch(worker, { starts: ids.map((id) => newInstance(id)) }));
    const random = randomly(1);
    const claimOf = new Map(ids.map((id) => [id, 1]));
    for (let round = 0; round < 60; round++) {
      // Each of four commits parks some and sends to all others, in an order of its own.
      const shuffled = ids.map((id) => [random(1000), id] as const).sort((a, b) => a[0] - b[0]);
      const groups = [0, 1, 2].map((which) => shuffled.slice(which * 2, which * 2 + 2).map(([, id]) => id));
      await Promise.all([
        ...groups.map((own) =>
          storage.runs.commit(
            batch(worker, {
              ...step(own[0]!, round + 1, [
                ...ids.toReversed().map(
                  (instanceId) =>
                    ({
                      type: 'message',
                      message: message(`${round} ${own[0]!} ${instanceId}`, 'x', { type: 'instance', instanceId }),
                    }) as const,
                ),
                { type: 'cancel', order: { instanceId: own[1]!, reason: null } },
              ]),
              settlements: own.map((id) => park(id, claimOf.get(id))),
            }),
          ),
        ),
        ...ids.map((instanceId) =>
          storage.messages.deliver({
            ...message(`${round} ${instanceId}`, 'x', { type: 'instance', instanceId }),
            source: '/test',
            starts: null,
          }),
        ),
      ]);
      const { claimed } = await storage.runs.claim({
        workerId: worker,
        workflowNames: ['order'],
        limit: 100,
        historyLimit: 1,
        mailLimit: 1,
        holding: null,
      });
      for (const { instanceId, claim } of claimed) claimOf.set(instanceId, claim);
    }
    const { rows } = await looker.query<{ n: string }>('SELECT count(*)::text AS n FROM romancy.mailbox');
    expect(rows).toEqual([{ n: String(60 * (3 * 6 + 6)) }]);
  });
});
