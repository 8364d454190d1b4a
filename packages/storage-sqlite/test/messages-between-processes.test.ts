// Messages between processes that share one file, while some of them are killed.
import type { Storage } from '@romancy/core/ports';
import { eventually, temporaryFile } from '@romancy/test-support';
import { expect, it } from 'vitest';
import { batch, claimAll, incoming, look, openStorage, register, start } from './local-storage.js';
import { jobs, news, receive } from './receiver.js';
import { startRemoteStorage } from './remote-storage.js';

const count = 150;
const numbers = Array.from({ length: count }, (_, index) => index);
const names = ['a', 'b', 'c'];

async function received(storage: Storage, instanceId: string): Promise<readonly string[]> {
  const history = await storage.instances.history({ instanceId, afterSeq: 0, limit: 100_000 });
  return history.filter(({ kind }) => kind === 'message_received').map(({ data }) => JSON.parse(data!) as string);
}

async function hasBegun(storage: Storage, instanceId: string): Promise<boolean> {
  return (await storage.runs.history({ instanceId, afterSeq: 0, limit: 1 })).length > 0;
}

async function receivedByAll(storage: Storage): Promise<readonly string[]> {
  return (await Promise.all(names.map((name) => received(storage, name)))).flat();
}

it(
  'reach everybody once by broadcast and one of all by competing, whoever is killed, publisher or receiver',
  { timeout: 120_000 },
  async () => {
    const storage = await openStorage({ filename: await temporaryFile(), synchronous: 'normal' });
    await storage.messages.fixMode({ topic: jobs, mode: 'competing' });
    await storage.messages.fixMode({ topic: news, mode: 'broadcast' });
    await register(storage, 'survivor');
    const [publisher, ...receivers] = await Promise.all(
      ['publisher', ...names].map(async (name) => {
        const remote = await startRemoteStorage(storage.description);
        await remote.call('open');
        if (name !== 'publisher') await register(remote, `worker of ${name}`);
        return { remote, name };
      }),
    );
    for (const { remote, name: instanceId } of receivers) {
      const subscriptions = [
        { instanceId, topic: jobs, mode: 'competing' as const },
        { instanceId, topic: news, mode: 'broadcast' as const },
      ];
      await remote.runs.commit(batch(`worker of ${instanceId}`, { starts: [start(instanceId)], subscriptions }));
    }
    const working = receivers.map(({ remote, name }) =>
      remote.call('receive', { workerId: `worker of ${name}`, instanceId: name, seq: 1 }),
    );
    const receiving = Promise.allSettled(working);
    // All of them wait for a job before there is one: so each gets one, however fast the others are.
    await eventually(async () => (await Promise.all(names.map((name) => hasBegun(storage, name)))).every(Boolean), {
      timeout: 60_000,
    });
    const ended = Promise.allSettled([receiving, publisher!.remote.call('publish', count)]);

    // The publisher is killed somewhere in the middle, two of the receivers before and after it.
    const untilReceived = (share: number): Promise<unknown> =>
      eventually(async () => (await receivedByAll(storage)).length >= share * count, { timeout: 60_000 });
    await untilReceived(0.3);
    await receivers[0]!.remote.process.kill('SIGKILL');
    await untilReceived(0.5);
    await publisher!.remote.process.kill('SIGKILL');
    await receivers[1]!.remote.process.kill('SIGKILL');

    // Nobody knows which message was its last: all are sent once more.
    for (const number of numbers) {
      await storage.messages.deliver(incoming(`job ${number}`, jobs, { data: `job ${number}` }));
      await storage.messages.deliver(incoming(`news ${number}`, news, { data: `news ${number}` }));
    }
    const reaped = new Set<string>();
    await eventually(async () => {
      for (const { workerId } of (await storage.leases.upkeep(look('survivor'))).reaped) reaped.add(workerId);
      return reaped.size === 2;
    });
    const { claimed } = await storage.runs.claim({ ...claimAll('survivor'), historyLimit: 100_000 });
    expect(claimed.map(({ instanceId }) => instanceId).sort()).toEqual(['a', 'b']);
    const stop = new AbortController();
    const goingOn = claimed.map(({ instanceId, history }) =>
      receive(storage, { workerId: 'survivor', instanceId, seq: (history.at(-1)?.seq ?? 0) + 1 }, stop.signal),
    );
    await eventually(async () => (await receivedByAll(storage)).length >= 4 * count, { timeout: 60_000 });
    stop.abort();
    await Promise.all(goingOn);
    await receivers[2]!.remote.call('stop receiving');
    await ended;

    const all = await receivedByAll(storage);
    const jobsOf = (messages: readonly string[]) => messages.filter((message) => message.startsWith('job'));
    expect([...jobsOf(all)].sort()).toEqual(numbers.map((number) => `job ${number}`).sort());
    for (const name of names) {
      const ofOne = await received(storage, name);
      expect(ofOne.filter((message) => message.startsWith('news'))).toEqual(numbers.map((number) => `news ${number}`));
      expect(jobsOf(ofOne).length).toBeGreaterThan(0);
    }
  },
);
