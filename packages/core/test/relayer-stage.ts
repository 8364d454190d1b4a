// One test's outbox in memory, relayers on it, and senders that do what a test says.
import {
  createMemoryDatabase,
  createMemoryStorage,
  ManualClock,
  recordingLogger,
  seededEntropy,
  settleTurns,
  withFaults,
  type FaultyStorage,
  type MemoryDatabase,
  type RecordingLogger,
} from '../src/testing/index.js';
import { beforeEach } from 'vitest';
import type { LeaseLostError } from '../src/domain/errors.js';
import { outboxStream, type OutgoingEvent } from '../src/domain/outbox.js';
import { defaultRetryPolicy } from '../src/domain/retry-policy.js';
import type { Wakeup } from '../src/domain/wakeup.js';
import type { OutboxRecord } from '../src/ports/outbox-store.js';
import type { SendAttempt } from '../src/ports/send-event.js';
import { OutboxRelayer, type RelayOptions } from '../src/scheduler/outbox-relayer.js';
import { StorageHealth } from '../src/scheduler/storage-health.js';
import { StorageClock } from '../src/scheduler/storage-time.js';
import { WakeupHub } from '../src/scheduler/wakeup-hub.js';
import { writeEvent } from '../src/testing/memory-outbox.js';

const codec = {
  encode: (value: unknown) => JSON.stringify(value instanceof Error ? { message: value.message } : value),
  decode: (text: string): unknown => JSON.parse(text),
};
export const leaseMs = 30_000;

/** Of the test that runs. */
export let clock: ManualClock;
export let database: MemoryDatabase;
let stages: number;

/** One process's relayer, and what it did. */
export interface Stage {
  readonly workerId: string;
  readonly relayer: OutboxRelayer;
  readonly storage: FaultyStorage;
  readonly logger: RecordingLogger;
  readonly hub: WakeupHub;
  /** Ids of events, in the order in which the sender got them. */
  readonly sent: string[];
  /** What hooks were told, in short. */
  readonly told: string[];
  readonly lost: LeaseLostError[];
}

export type Send = (event: OutgoingEvent, attempt: SendAttempt) => Promise<void> | void;

/** Called at the top of each file: files that share a process share this module, which is therefore loaded for the first of them only. */
export function newOutboxForEachTest(): void {
  beforeEach(() => {
    clock = new ManualClock({ now: 1_000_000 });
    database = createMemoryDatabase();
    stages = 0;
  });
}

/** A relayer that has claimed once, of a process whose notifier is healthy: nothing is found by polling. */
export async function stage(
  given: Partial<Omit<RelayOptions, 'send'>> & { readonly send?: Send; readonly relayers?: readonly string[] } = {},
): Promise<Stage> {
  const { send, relayers = [], ...options } = given;
  const logger = recordingLogger();
  const storage = withFaults(createMemoryStorage({ database }));
  await storage.open({ clock, logger });
  const workerId = `w${++stages}`;
  await register(storage, workerId);
  const hub = new WakeupHub();
  const sent: string[] = [];
  const told: string[] = [];
  const lost: LeaseLostError[] = [];
  const entropy = seededEntropy(stages);
  const relayer = new OutboxRelayer({
    outbox: storage.outbox,
    options: {
      batchSize: 100,
      concurrency: 10,
      timeoutMs: 30_000,
      retry: { ...defaultRetryPolicy, jitter: false, maxAttempts: 3 },
      ...options,
      send: (event, attempt) => {
        sent.push(event.id);
        return send?.(event, attempt);
      },
    },
    pollIntervalMs: 1000,
    health: new StorageHealth({ clock, entropy, logger, description: 'a test' }),
    storageClock: new StorageClock(clock),
    clock,
    entropy,
    logger,
    hooks: {
      has: () => true,
      call: (name, event) => {
        const { eventId, attempt, status = '' } = event as { eventId: string; attempt: number; status?: string };
        told.push(`${name} ${eventId} ${attempt}${status === '' ? '' : ` ${status}`}`);
      },
    },
    codec,
    maxPayloadBytes: 1_000_000,
    hub,
    relayers: () => relayers,
    onLeaseLost: (error) => {
      lost.push(error);
      relayer.left(error);
    },
  });
  relayer.joined(workerId);
  relayer.notifierIs('healthy');
  relayer.start();
  await settleTurns(5);
  return { workerId, relayer, storage, logger, hub, sent, told, lost };
}

/** Makes it a worker that is alive. */
export async function register(storage: FaultyStorage, workerId: string): Promise<void> {
  await storage.leases.register({ workerId, serviceName: 'tests', leaseMs, workflowNames: [], starts: [] });
}

/** Writes events, and gives what their commit would tell. */
export function write(eventIds: readonly string[], source = 's'): readonly Wakeup[] {
  for (const id of eventIds) {
    const event: OutgoingEvent = {
      id,
      source,
      type: 't',
      subject: undefined,
      time: new Date(0),
      extensions: {},
      data: `of ${id}`,
    };
    const stream = outboxStream({ source, subject: undefined });
    writeEvent(database, { eventId: id, stream, type: 't', source, data: codec.encode(event) }, clock.now());
  }
  return eventIds.map((eventId) => ({ kind: 'outbox_pending', eventId }));
}

/** Lets a relayer hear of them. */
export function announce({ hub }: Stage, wakeups: readonly Wakeup[], from: 'here' | 'elsewhere' = 'here'): void {
  hub.emit('wakeups', wakeups, from);
}

/** What the outbox says about an event. */
export function record(eventId: string): Pick<OutboxRecord, 'status' | 'attempts' | 'error'> & { readonly owner: string | null } {
  const { status, attempts, error, owner } = database.outbox.get(eventId)!;
  return { status, attempts, error, owner };
}

/** Lets turns of the event loop pass until it is so. */
export async function until(isSo: () => boolean): Promise<void> {
  for (let turn = 0; turn < 20_000; turn++) {
    if (isSo()) return;
    await settleTurns(1);
  }
  throw new Error(`did not come true: ${isSo.toString()}`);
}

/** A sender that waits to be told how each attempt ends. */
export function held(): {
  readonly send: Send;
  end(eventId: string, error?: Error): Promise<void>;
  readonly signals: Map<string, AbortSignal>;
} {
  const open = new Map<string, (error?: Error) => void>();
  const signals = new Map<string, AbortSignal>();
  return {
    signals,
    send: ({ id }, { signal }) => {
      signals.set(id, signal);
      return new Promise((resolve, reject) => open.set(id, (error) => (error === undefined ? resolve() : reject(error))));
    },
    async end(eventId, error) {
      open.get(eventId)!(error);
      await settleTurns(5);
    },
  };
}
