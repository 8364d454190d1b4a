// The state that memory storages share: what a database would hold, as plain maps.
import type { ChannelMode } from '../domain/channel.js';
import { LeaseLostError } from '../domain/errors.js';
import type { HistoryEntry } from '../domain/history.js';
import type { InstanceStatus } from '../domain/instance.js';
import type { OutboxStatus } from '../domain/outbox.js';
import type { HandedMessage } from '../ports/message-store.js';
import type { NewOutboxEvent } from '../ports/outbox-store.js';
import type { TopicFilter } from '../ports/subscription.js';

/** A worker's row: it is alive as long as the row is there. */
export interface MemoryWorker {
  readonly workerId: string;
  readonly serviceName: string;
  readonly workflowNames: readonly string[];
  /** It sends events of the outbox. */
  readonly isRelayer: boolean;
  /** Milliseconds since 1970; a reaper may take the row from then on. */
  leaseEndsAt: number;
  /** The sign of its process that it named and that was in {@link MemoryDatabase.presences} then. */
  presence: string | null;
}

/** A message that waits in the queue of its topic for somebody who seeks one. */
export interface MemoryQueued {
  /** Its place: ascending in the order of arrival, over the whole database, and kept when it comes back from a mailbox. */
  readonly place: number;
  readonly queuedAt: number;
  readonly messageId: string;
  readonly data: string;
}

/** A piece of mail that waits for its instance. */
export interface MemoryMail {
  /** Ascending in the order of arrival, over the whole database. */
  readonly number: number;
  readonly topic: string;
  readonly messageId: string;
  readonly data: string;
  /** What it was in the queue of its topic, where it goes back when it is not taken; null: it never was in one. */
  readonly queued: MemoryQueued | null;
}

/** What an instance takes of a topic; several of them take what any of them takes. */
export interface MemorySubscription {
  readonly filter: TopicFilter | null;
  readonly seq: number;
}

/** An instance with all that belongs to it. */
export interface MemoryInstance {
  readonly instanceId: string;
  readonly workflowName: string;
  readonly startToken: string;
  readonly parentId: string | null;
  input: string;
  isInputChecked: boolean;
  createdAt: number;
  status: InstanceStatus;
  /** Its code is over: it shows this as its status, but while it is stalled, until it ends. */
  isCompensating: boolean;
  output: string | null;
  error: string | null;
  compensationFailures: string | null;
  cancelRequested: boolean;
  cancelReason: string | null;
  owner: string | null;
  wakeAt: number | null;
  finishedAt: number | null;
  continuedAs: string | null;
  continuedFrom: string | null;
  /** How often it has recurred. */
  generation: number;
  /** The number of its latest claim, 0 before the first; an owned start counts. */
  claims: number;
  /** Something happened from outside that the owner has not looked at yet. */
  attention: boolean;
  /** How often something happened to it from outside. */
  drawn: number;
  /** Ascending by `seq`: of all that goes on under one id, shared by its parts. */
  readonly history: HistoryEntry[];
  /** Its own part of the history lies above this number ... */
  historyStart: number;
  /** ... and up to this one. Infinite as long as it goes on. */
  readonly historyEnd: number;
  /** By topic. */
  readonly subscriptions: Map<string, MemorySubscription[]>;
  readonly groups: Set<string>;
  /** The topics of which it waits for one message. */
  readonly seeks: Set<string>;
  /** Oldest first. */
  readonly mail: MemoryMail[];
}

/** What there is under a topic. */
export interface MemoryTopic {
  readonly name: string;
  mode: ChannelMode | null;
  /** When its mode was last asked for. */
  fixedAt: number;
  readonly subscribers: Set<MemoryInstance>;
  /** Oldest first. */
  readonly queue: MemoryQueued[];
  /** The longest-seeking first. */
  readonly seekers: Set<MemoryInstance>;
}

/** An event on its way out. */
export interface MemoryEvent extends NewOutboxEvent {
  /** Ascending in the order in which events were written. */
  readonly number: number;
  readonly createdAt: number;
  status: OutboxStatus;
  /** The relayer that has it. */
  owner: string | null;
  attempts: number;
  failedSince: number | null;
  error: string | null;
  dueAt: number;
  endedAt: number | null;
}

/**
 * A database in memory. Storages that are created on the same one compete as processes on one server do. Its members may be looked
 * at by tests, and are changed by storages alone.
 */
export class MemoryDatabase {
  readonly workers = new Map<string, MemoryWorker>();
  readonly instances = new Map<string, MemoryInstance>();
  /** Those of the instances that have not ended, so that no cost grows with finished work. */
  readonly open = new Set<MemoryInstance>();
  /** The others, in the order in which they ended. */
  readonly ended = new Set<MemoryInstance>();
  /** The messages and events that were delivered, as `[source, messageId]` in JSON, with the time; oldest first. */
  readonly events = new Map<string, number>();
  readonly topics = new Map<string, MemoryTopic>();
  readonly groups = new Map<string, Set<MemoryInstance>>();
  /** By workflow: the topics whose events start it. */
  readonly starts = new Map<string, ReadonlySet<string>>();
  /** By id, in the order in which they were written. */
  readonly outbox = new Map<string, MemoryEvent>();
  /** By stream: events that are still to be sent, in their order. A stream without any is not in here. */
  readonly streams = new Map<string, MemoryEvent[]>();
  /** To whom messages of queues came in the transition under way. */
  readonly handed: HandedMessage[] = [];
  /** What activities have committed through `memoryTransaction`. */
  readonly values = new Map<string, unknown>();
  /** The signs of processes that stand at this moment, as an advisory lock does on PostgreSQL. For tests to change. */
  readonly presences = new Set<string>();
  #lastNumber = 0;

  /** The next number of all that is numbered in the order of arrival. */
  nextNumber(): number {
    return ++this.#lastNumber;
  }

  /** @throws LeaseLostError when the worker has no row, so that whatever called this changes nothing. */
  requireAlive(workerId: string): void {
    if (!this.workers.has(workerId)) throw new LeaseLostError({ workerId });
  }

  /** The instance if it is there and this worker executes it. */
  owned(instanceId: string, workerId: string): MemoryInstance | undefined {
    const instance = this.instances.get(instanceId);
    return instance?.owner === workerId ? instance : undefined;
  }

  /** The instance if it is there and has not ended. */
  going(instanceId: string): MemoryInstance | undefined {
    const instance = this.instances.get(instanceId);
    return instance !== undefined && this.open.has(instance) ? instance : undefined;
  }
}

/** An empty database, to be handed to several storages. */
export function createMemoryDatabase(): MemoryDatabase {
  return new MemoryDatabase();
}

/** Lets an instance that nobody owns be claimed from `now` on, and not later than it could have been anyhow. */
export function makeClaimable(instance: MemoryInstance, now: number): void {
  instance.wakeAt = instance.wakeAt === null ? now : Math.min(instance.wakeAt, now);
}

/** Makes somebody look at the instance: its owner by its attention, or anybody by a claim. */
export function draw(instance: MemoryInstance, now: number): void {
  instance.attention = true;
  instance.drawn++;
  if (instance.owner === null) makeClaimable(instance, now);
}
