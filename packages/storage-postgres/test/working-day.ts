// What workers ask of a storage all day, made to be timed: each kind of work is a call that can be repeated.
import type { Storage } from '@romancy/core/ports';
import { registered } from './open-storage.js';
import { batch, claimRequest, complete, newEntry, newInstance, park, renewal } from './worker-calls.js';

/** By name: does it so many times. What it needs it makes by itself, and of what it makes nothing stays but what has ended. */
export type WorkingDay = Readonly<Record<string, (times: number) => Promise<void>>>;

export async function workingDay(storage: Storage): Promise<WorkingDay> {
  const { runs, messages, leases, instances } = storage;
  const worker = await registered(storage, 'worker');
  let made = 0;
  const newIds = (count: number): string[] => Array.from({ length: count }, () => `new-${(made++).toString().padStart(8, '0')}`);
  const repeatedly =
    (once: () => Promise<void>) =>
    async (times: number): Promise<void> => {
      for (let time = 0; time < times; time++) await once();
    };
  const workflows = async (count: number): Promise<void> => {
    const ids = newIds(count);
    await runs.commit(batch(worker, { starts: ids.map((id) => newInstance(id)) }));
    await runs.commit(batch(worker, { entries: ids.map((id) => newEntry(id, 1)) }));
    await runs.commit(batch(worker, { entries: ids.map((id) => newEntry(id, 2)), settlements: ids.map((id) => complete(id)) }));
  };
  return {
    'a workflow of two steps': repeatedly(() => workflows(1)),
    'fifty workflows of two steps': repeatedly(() => workflows(50)),
    'a wait for an event, the event, the claim, the end': repeatedly(async () => {
      const [id] = newIds(1) as [string];
      const topic = 'event:paid';
      const entries = [newEntry(id, 1, { kind: 'wait_set' })];
      const filter = { path: ['order'], equals: id };
      await runs.commit(batch(worker, { starts: [newInstance(id)] }));
      await runs.commit(
        batch(worker, { entries, subscriptions: [{ instanceId: id, topic, filter, seq: 1 }], settlements: [park(id)] }),
      );
      const event = { messageId: id, source: '/scale', topic, data: JSON.stringify({ order: id }), starts: null } as const;
      await messages.deliver({ ...event, to: { type: 'subscribers' } });
      const { claimed } = await runs.claim(claimRequest(worker));
      if (claimed.length !== 1 || claimed[0]!.mail.length !== 1) throw new Error(`${claimed.length} were claimed`);
      const takenMail = [{ instanceId: id, mailId: claimed[0]!.mail[0]!.mailId }];
      await runs.commit(batch(worker, { entries: [newEntry(id, 2)], takenMail, settlements: [complete(id, 2)] }));
    }),
    'a claim in vain': repeatedly(async () => void (await runs.claim(claimRequest(worker)))),
    'an upkeep': repeatedly(async () => void (await leases.upkeep(renewal(worker, 3_600_000)))),
    'a look at an instance': repeatedly(async () => void (await instances.get('new-00000000'))),
  };
}
