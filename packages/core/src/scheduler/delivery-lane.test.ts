// What shares a call of the storage, who does not wait for whom, and that each is answered for itself.
import { expect, test } from 'vitest';
import { silentLogger } from '../app/silent-logger.js';
import { StorageUnavailableError } from '../domain/errors.js';
import type { Wakeup } from '../domain/wakeup.js';
import { hop } from '../engine/hop.js';
import type { Delivery, IncomingMessage, MessageStore } from '../ports/message-store.js';
import { ManualClock } from '../testing/manual-clock.js';
import { seededEntropy } from '../testing/seeded-entropy.js';
import { DeliveryLane } from './delivery-lane.js';
import { StorageHealth } from './storage-health.js';

function message(messageId: string, more: Partial<IncomingMessage> = {}): IncomingMessage {
  return { messageId, source: 's', topic: 'channel:jobs', data: '1', to: { type: 'subscribers' }, starts: null, ...more };
}

function delivered({ messageId }: IncomingMessage): Delivery {
  const wakeup: Wakeup = { kind: 'channel_message', channelName: 'jobs', messageId, targetInstanceId: null };
  return { outcome: 'delivered', receivers: 1, started: [], wakeups: [wakeup] };
}

/** A call of the storage that waits for its answer. */
interface Call {
  readonly ids: readonly string[];
  answer(): void;
  refuse(error: Error): void;
}

function laneOnSlowStorage() {
  const clock = new ManualClock();
  const calls: Call[] = [];
  const told: string[][] = [];
  const stop = new AbortController();
  const call = (list: readonly IncomingMessage[]): Promise<readonly Delivery[]> =>
    new Promise((resolve, reject) => {
      const answer = (): void => resolve(list.map(delivered));
      calls.push({ ids: list.map(({ messageId }) => messageId), answer, refuse: reject });
    });
  const messages = {
    deliver: async (one: IncomingMessage) => (await call([one]))[0]!,
    deliverAll: call,
  } as unknown as MessageStore;
  const lane = new DeliveryLane({
    messages,
    clock,
    health: new StorageHealth({ clock, entropy: seededEntropy(1), logger: silentLogger, description: 'slow' }),
    onWakeups: (wakeups) => told.push(wakeups.map((wakeup) => ('messageId' in wakeup ? wakeup.messageId : wakeup.kind))),
    stopSignal: stop.signal,
  });
  return { lane, calls, told, clock, stop };
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await hop();
}

test('what is sent in one turn goes together, and what comes meanwhile goes together after it', async () => {
  const { lane, calls, told, clock } = laneOnSlowStorage();
  const first = [lane.deliver(message('a')), lane.deliver(message('b'))];
  await turns();
  expect(calls.map(({ ids }) => ids)).toEqual([['a', 'b']]);
  const second = ['c', 'd', 'e'].map((id) => lane.deliver(message(id)));
  await turns();
  expect(calls).toHaveLength(1);
  calls[0]!.answer();
  await Promise.all(first);
  await turns();
  expect(calls.map(({ ids }) => ids)).toEqual([
    ['a', 'b'],
    ['c', 'd', 'e'],
  ]);
  calls[1]!.answer();
  expect(await second[2]).toMatchObject({ wakeups: [{ messageId: 'e' }] });
  expect(told).toEqual([
    ['a', 'b'],
    ['c', 'd', 'e'],
  ]);
  await turns();
  expect(clock.pendingTimers).toBe(0);
});

test('one that comes alone waits for no others', async () => {
  const { lane, calls } = laneOnSlowStorage();
  const alone = lane.deliver(message('a'));
  await hop();
  expect(calls.map(({ ids }) => ids)).toEqual([['a']]);
  calls[0]!.answer();
  expect(await alone).toMatchObject({ outcome: 'delivered' });
});

test('nobody waits behind a call that takes long', async () => {
  const { lane, calls, clock } = laneOnSlowStorage();
  const stuck = lane.deliver(message('stuck'));
  await turns();
  const behind = lane.deliver(message('behind'));
  await clock.advance(49);
  expect(calls).toHaveLength(1);
  await clock.advance(1);
  expect(calls.map(({ ids }) => ids)).toEqual([['stuck'], ['behind']]);
  calls[1]!.answer();
  await behind;
  const later = lane.deliver(message('later'));
  await turns();
  calls[2]!.answer();
  await later;
  calls[0]!.answer();
  await stuck;
  // Whoever was late is one of the lane again: the next two go one after the other.
  const one = lane.deliver(message('one'));
  await turns();
  const two = lane.deliver(message('two'));
  await turns();
  expect(calls).toHaveLength(4);
  calls[3]!.answer();
  await one;
  await turns();
  calls[4]!.answer();
  await two;
});

test('but no more than four calls are under way, however late they are, and the next free one takes all that waits', async () => {
  const { lane, calls, clock } = laneOnSlowStorage();
  const sent: Promise<Delivery>[] = [];
  for (const id of ['a', 'b', 'c', 'd']) {
    sent.push(lane.deliver(message(id)));
    await turns();
    await clock.advance(50);
  }
  sent.push(lane.deliver(message('e')));
  await turns();
  await clock.advance(1000);
  sent.push(lane.deliver(message('f')));
  await turns();
  expect(calls.map(({ ids }) => ids)).toEqual([['a'], ['b'], ['c'], ['d']]);
  calls[2]!.answer();
  await sent[2];
  await turns();
  expect(calls.slice(4).map(({ ids }) => ids)).toEqual([['e', 'f']]);
  // Three are late still, and this one is not: what comes waits for it.
  sent.push(lane.deliver(message('g')));
  await turns();
  expect(calls).toHaveLength(5);
  calls[4]!.answer();
  await sent[5];
  await turns();
  expect(calls.slice(5).map(({ ids }) => ids)).toEqual([['g']]);
  for (const call of calls) call.answer();
  await Promise.all(sent);
  await turns();
  expect(clock.pendingTimers).toBe(0);
});

test('a call carries no more than 500 messages, nor more than one beyond 4,000,000 characters', async () => {
  const { lane, calls } = laneOnSlowStorage();
  const many = Array.from({ length: 501 }, (_, index) => lane.deliver(message(`${index}`)));
  await turns();
  expect(calls.map(({ ids }) => ids.length)).toEqual([500]);
  calls[0]!.answer();
  await many[499];
  await turns();
  const long = 'x'.repeat(3_000_000);
  const heavy = ['a', 'b'].map((id) => lane.deliver(message(id, { data: long })));
  await turns();
  calls[1]!.answer();
  await turns();
  calls[2]!.answer();
  await turns();
  calls[3]!.answer();
  await Promise.all([...many, ...heavy]);
  expect(calls.slice(1).map(({ ids }) => ids)).toEqual([['500'], ['a'], ['b']]);
});

test('the same message once more is asked about after the first was answered', async () => {
  const { lane, calls } = laneOnSlowStorage();
  const twice = [lane.deliver(message('a')), lane.deliver(message('a')), lane.deliver(message('a', { source: 'other' }))];
  await turns();
  expect(calls.map(({ ids }) => ids)).toEqual([['a']]);
  calls[0]!.answer();
  await turns();
  expect(calls.map(({ ids }) => ids)).toEqual([['a'], ['a', 'a']]);
  calls[1]!.answer();
  await Promise.all(twice);
});

test('one that the storage refuses is refused alone', async () => {
  const { lane, calls } = laneOnSlowStorage();
  const answers = Promise.allSettled(['a', 'bad', 'c'].map((id) => lane.deliver(message(id))));
  await turns();
  calls[0]!.refuse(new Error('something is wrong with one of them'));
  for (let index = 1; index <= 3; index++) {
    await turns();
    if (calls[index]!.ids[0] === 'bad') calls[index]!.refuse(new Error('this one'));
    else calls[index]!.answer();
  }
  expect((await answers).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
});

test('an outage is waited for, until the app stops', async () => {
  const { lane, calls, clock, stop } = laneOnSlowStorage();
  const first = lane.deliver(message('a'));
  await turns();
  calls[0]!.refuse(new StorageUnavailableError('away'));
  await clock.advance(100);
  expect(calls.map(({ ids }) => ids)).toEqual([['a'], ['a']]);
  calls[1]!.answer();
  await first;
  const second = lane.deliver(message('b'));
  await turns();
  stop.abort(new Error('this app was stopped'));
  calls[2]!.refuse(new StorageUnavailableError('away'));
  await expect(second).rejects.toThrow('this app was stopped');
});
