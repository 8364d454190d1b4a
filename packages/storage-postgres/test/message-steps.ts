// Transitions of a working day that concern others: messages, queues, recurrence, the outbox, retention.
import type { Effect, OutgoingMessage, Storage } from '@romancy/core/ports';
import { batch, claimRequest, complete, newEntry, newInstance } from './worker-calls.js';

const competing = { topic: 'channel:mine', mode: 'competing' } as const;

/** @param name called before each step with what it is. */
export async function messageSteps(
  { runs, instances, messages, outbox, retention, leases }: Storage,
  { workerId, name }: { readonly workerId: string; readonly name: (step: string) => void },
): Promise<void> {
  const ids = Array.from({ length: 20 }, (_, index) => `talks-${index}`);
  let seq = 0;
  const step = async (effects: readonly Bare<Effect>[], of = ids): Promise<void> => {
    seq++;
    const each = of.flatMap((instanceId) => effects.map((effect): Effect => ({ ...effect, instanceId, seq })));
    const { undelivered } = await runs.commit(batch(workerId, { entries: of.map((id) => newEntry(id, seq)), effects: each }));
    if (undelivered.length > 0) throw new Error('a message was not delivered');
  };
  let sent = 0;
  const message = (topic: string, more: Partial<OutgoingMessage> = {}): OutgoingMessage => {
    return { messageId: `sent-${++sent}`, topic, data: '{"order":17}', to: { type: 'subscribers' }, ...more };
  };
  const deliver = (topic: string, idEnding?: string): ReturnType<typeof messages.deliver> =>
    messages.deliver({ ...message(topic), source: 'steps', starts: idEnding === undefined ? null : { input: '1', idEnding } });

  name('fix a mode');
  await messages.fixMode(competing);
  await messages.fixMode(competing);
  name('subscribe');
  const starts = ids.map((id) => newInstance(id));
  await runs.commit(batch(workerId, { starts, subscriptions: ids.map((instanceId) => ({ instanceId, ...competing, seq: 1 })) }));
  name('publish in a commit');
  await step([{ type: 'join', group: 'mine' }]);
  await step([
    { type: 'message', message: message('channel:mine') },
    { type: 'message', message: message('channel:7') },
    { type: 'message', message: message('channel:x', { to: { type: 'instance', instanceId: 'waits-5' } }) },
  ]);
  name('publish to a group in a commit');
  // By one: the group is as large as the amounts make it, and each member is touched for each message.
  await step([{ type: 'message', message: message('channel:x', { to: { type: 'group', group: 'group-7' } }) }], ids.slice(0, 1));
  name('seek');
  await step([{ type: 'seek', topic: competing.topic }]);
  name('unseek');
  await step([{ type: 'unseek', topic: competing.topic }]);
  name('publish to seekers');
  await deliver('channel:sought');
  name('publish to a backlog');
  await deliver('channel:backlog');
  name('an event for one of many that wait');
  if ((await deliver('event:matched')).receivers !== 1) throw new Error('the event did not arrive at one');
  name('an event that starts');
  await leases.register({
    ...{ workerId, serviceName: 'test', leaseMs: 3_600_000, workflowNames: ['order', 'starting'] },
    starts: [{ workflowName: 'starting', topic: 'event:begin' }],
  });
  if ((await deliver('event:begin', '1')).started.length !== 1) throw new Error('the event started nothing');
  name('members');
  await messages.members('group-8');
  name('other effects');
  await step(
    [
      { type: 'event', event: { eventId: 'steps-1', stream: 'steps', type: 'done', source: 'test', data: '1' } },
      { type: 'cancel', order: { instanceId: 'waits-9', reason: null } },
      { type: 'leave', group: 'mine' },
      { type: 'compensating' },
    ],
    ids.slice(0, 1),
  );
  await step([{ type: 'unsubscribe', topic: competing.topic }], ids.slice(1, 2));
  name('recur');
  const carried = { ...newEntry(ids[2]!, seq + 1), kind: 'carried_over' } as const;
  await runs.commit(
    batch(workerId, {
      settlements: [
        {
          type: 'recur',
          instanceId: ids[2]!,
          claim: 1,
          archiveId: `${ids[2]!}~1`,
          input: '2',
          carried,
          keep: [competing],
          owned: false,
        },
      ],
    }),
  );
  await runs.claim(claimRequest(workerId));
  await instances.history({ instanceId: `${ids[2]!}~1`, afterSeq: 0, limit: 100 });
  name('end of a subscriber');
  await runs.commit(
    batch(workerId, {
      settlements: ids.slice(3).map((id) => ({
        ...complete(id),
        messages: [message('child:x', { to: { type: 'instance', instanceId: 'waits-6' } })],
        cancels: [{ instanceId: 'waits-7', reason: null }],
      })),
    }),
  );

  name('claim events');
  const { events } = await outbox.claim({ workerId, limit: 10 });
  name('settle events');
  await outbox.settle({
    workerId,
    results: events.map(({ eventId }) => ({ type: 'failed', eventId, error: '{}' })),
  });
  const any = { status: undefined, eventIds: undefined, type: undefined, before: undefined, limit: 10 };
  name('requeue events');
  await outbox.requeue(any);
  name('list events');
  await outbox.list({ ...any, after: 'behind-5' });
  name('purge events');
  await outbox.purge({ ...any, eventIds: ['steps-1', 'behind-1'] });
  name('purge');
  const until = Date.now() + 60_000;
  await retention.purge({
    ...{
      instances: { completed: until, failed: until, cancelled: until, recurred: until },
      sentEvents: until,
      seenEvents: until,
    },
    ...{ queuedMessages: until, mostQueued: 1000, limit: 100 },
  });
}

type Bare<T> = T extends unknown ? Omit<T, 'instanceId' | 'seq'> : never;
