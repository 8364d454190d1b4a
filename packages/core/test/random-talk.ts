// What random programs say and hear, and where all of that must be in the end: each message with somebody, once, in its order.
import fc from 'fast-check';
import { expect } from 'vitest';
import type { HistoryEntry, HistoryKind } from '../src/domain/history.js';
import { channelTopic } from '../src/domain/topic.js';
import { defineWorkflow, type RomancyError, type WorkflowContext } from '../src/index.js';
import type { MemoryDatabase, MemoryInstance, MemoryMail } from '../src/testing/index.js';
import { createMemoryInstance, joinGroup } from '../src/testing/memory-instance.js';
import { subscribe } from '../src/testing/memory-topics.js';

export type Talk =
  | { readonly say: 'to all' | 'to the group' | 'to one' | 'into the queue' | 'into the outbox' }
  | { readonly say: 'join' | 'leave' | 'unsubscribe' }
  /** `first`: says itself what it may hear. */
  | { readonly say: 'take' | 'hear'; readonly ms: number; readonly first: boolean }
  | { readonly say: 'child'; readonly ms: number; readonly fails: boolean };

const waitMs = fc.nat(40);

export const talks: fc.Arbitrary<Talk> = fc.oneof(
  fc.record({
    say: fc.constantFrom(
      'to all' as const,
      'to the group' as const,
      'to one' as const,
      'into the queue' as const,
      'into the queue' as const,
      'into the outbox' as const,
    ),
  }),
  fc.record({ say: fc.constantFrom('join' as const, 'leave' as const, 'unsubscribe' as const) }),
  fc.record({ say: fc.constantFrom('take' as const, 'hear' as const), ms: waitMs, first: fc.boolean() }),
  fc.record({ say: fc.constant('child' as const), ms: waitMs, fails: fc.boolean() }),
);

/** Hears everything, and receives nothing: what is in its mail is what was sent. */
const ear = 'ear';
const [news, queue, group] = ['news', 'queue', 'group'];

/** What the programs' children do. */
export const grown = defineWorkflow('grown', async (ctx, { ms, fails }: { readonly ms: number; readonly fails: boolean }) => {
  await ctx.sleep(ms);
  if (fails) throw new Error('did not grow');
  return 'grown';
});

/** Somebody who gets all that is said, though no process runs him. To be called before the program begins. */
export function listen(database: MemoryDatabase, now: number): void {
  const start = { instanceId: ear, workflowName: ear, input: 'null', startToken: ear, owned: false };
  createMemoryInstance(database, { start, workerId: null, isInputChecked: true, now });
  const instance = database.instances.get(ear)!;
  for (const channel of [news, 'done', 'undone']) {
    subscribe(database, instance, { subscription: { topic: channelTopic(channel), mode: 'broadcast' }, now });
  }
  subscribe(database, instance, { subscription: { topic: channelTopic(queue), mode: 'competing' }, now });
  joinGroup(database, instance, group);
}

export async function talk(ctx: WorkflowContext, step: Talk, path: string): Promise<unknown> {
  switch (step.say) {
    case 'to all':
      return await ctx.publish(news, path);
    case 'to the group':
      return await ctx.publish(group, path, { group });
    case 'to one':
      return await ctx.sendTo(ear, 'whispers', path);
    case 'into the queue':
      return await ctx.publish(queue, path);
    case 'into the outbox':
      return await ctx.sendEvent({ type: 'said', source: path });
    case 'join':
      return await ctx.joinGroup(group);
    case 'leave':
      return await ctx.leaveGroup(group);
    case 'unsubscribe':
      return await ctx.unsubscribe(queue);
    case 'take':
      await ctx.subscribe(queue, 'competing');
      if (step.first) await ctx.publish(queue, path);
      return await heard(ctx.receive(queue, { timeout: step.ms }));
    case 'hear':
      await ctx.subscribe(news);
      if (step.first) await ctx.publish(news, path);
      return await heard(ctx.receive(news, { timeout: step.ms }));
    case 'child':
      return await ctx.runChild(grown, { ms: step.ms, fails: step.fails }).catch(() => 'failed');
  }
}

/** What comes in time; another branch may have unsubscribed meanwhile. */
function heard(received: Promise<{ readonly data: unknown }>): Promise<unknown> {
  return received.then(
    ({ data }) => data,
    (error: RomancyError) => {
      if (error.code === 'WAIT_TIMEOUT' || error.code === 'NOT_SUBSCRIBED') return error.code;
      throw error;
    },
  );
}

/** How often things were seen, to know that there was something to see. */
export type Seen = Map<string, number>;

/** All that the instance's history says was sent, by any part of it, is there once, in that order, and nothing else is; and the instance left nothing. */
export function expectTold(database: MemoryDatabase, seen: Seen): void {
  const instance = database.instances.get('i')!;
  const mail = database.instances.get(ear)!.mail;
  const queued = database.topics.get(channelTopic(queue))?.queue ?? [];
  const received = valuesOf<{ readonly id: string; readonly channel: string }>(instance, 'message_received');
  const takenIds = received.filter(({ channel }) => channel === queue).map(({ id }) => id);
  expect(new Set(received.map(({ id }) => id)).size, 'received twice').toBe(received.length);

  const fromWorkflows = mail.filter(({ topic }) => topic !== channelTopic('done') && topic !== channelTopic('undone'));
  const sentIds = valuesOf<string>(instance, 'published', 'sent_to');
  expect([...fromWorkflows.map(idOf), ...queued.map(idOf), ...takenIds].sort(), 'what was sent').toEqual([...sentIds].sort());
  const inOrder = (ids: readonly string[]): string[] => sentIds.filter((id) => ids.includes(id));
  for (const ids of [fromWorkflows.map(idOf), queued.map(idOf)]) expect(ids, 'the order of what was sent').toEqual(inOrder(ids));

  expect(saidIn(mail, 'done')).toEqual(callsOf(instance, 'activity_compensable'));
  expect(saidIn(mail, 'undone')).toEqual(callsOf(instance, 'compensation_completed'));
  expect([...database.outbox.keys()]).toEqual(valuesOf<string>(instance, 'event_sent'));
  expectNothingLeft(database, instance);
  const children = [...database.instances.values()].filter(({ parentId }) => parentId === 'i');
  expect(children).toHaveLength(entriesOf(instance, 'child_started').length);
  for (const child of children) {
    const isOver = instance.status === 'completed' || child.finishedAt !== null || child.cancelRequested;
    expect(isOver, `${child.instanceId} goes on though its parent is ${instance.status}`).toBe(true);
  }
  const counts = {
    heard: received.length - takenIds.length,
    taken: takenIds.length,
    queued: queued.length,
    children: children.length,
  };
  for (const [what, count] of Object.entries({
    ...counts,
    undone: saidIn(mail, 'undone').length,
    events: database.outbox.size,
  })) {
    seen.set(what, (seen.get(what) ?? 0) + count);
  }
}

function expectNothingLeft(database: MemoryDatabase, instance: MemoryInstance): void {
  const { subscriptions, groups, seeks, mail } = instance;
  expect([subscriptions.size, groups.size, seeks.size, mail.length], 'what is left with it').toEqual([0, 0, 0, 0]);
  for (const members of database.groups.values()) expect(members.has(instance)).toBe(false);
  for (const { subscribers, seekers } of database.topics.values())
    expect([subscribers.has(instance), seekers.size]).toEqual([false, 0]);
}

function entriesOf(instance: MemoryInstance, ...kinds: readonly HistoryKind[]): HistoryEntry[] {
  return instance.history.filter(({ kind }) => kinds.includes(kind));
}

function valuesOf<T>(instance: MemoryInstance, ...kinds: readonly HistoryKind[]): T[] {
  return entriesOf(instance, ...kinds).map(({ data }) => JSON.parse(data!) as T);
}

function callsOf(instance: MemoryInstance, kind: HistoryKind): string[] {
  return entriesOf(instance, kind).map(({ callId }) => callId);
}

function idOf({ messageId }: { readonly messageId: string }): string {
  return messageId;
}

/** What was said on a channel, which is the id of the call by which it was said. */
function saidIn(mail: readonly MemoryMail[], channel: string): string[] {
  return mail
    .filter(({ topic }) => topic === channelTopic(channel))
    .map(({ data }) => (JSON.parse(data) as { readonly data: string }).data);
}
