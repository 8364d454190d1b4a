// Workers that write and send events, and views of the outbox, for its cases.
import type { EventResult, NewOutboxEvent, OutboxFilter, OutboxRecord, OutboxStore } from '../ports/index.js';
import { newOutboxEvent } from './effect-cases.js';
import { step } from './message-stage.js';
import type { Bench, StorageHarness } from './storage-harness.js';
import type { TestWorker } from './test-worker.js';

/** A filter that lets all through. */
export const everything: OutboxFilter = { status: undefined, eventIds: undefined, type: undefined, before: undefined };

type ListRequest = Parameters<OutboxStore['list']>[0];

/** Who writes events, and who sends them. */
export interface OutboxStage {
  readonly harness: StorageHarness;
  /** Owns the instance that writes. */
  readonly worker: TestWorker;
  readonly other: TestWorker;
  /** Writes events, all by one entry. */
  readonly write: (...events: readonly (string | NewOutboxEvent)[]) => Promise<void>;
}

/** Two workers, one of which owns the instance that writes. */
export async function stage(bench: Bench): Promise<OutboxStage> {
  const harness = await bench.harness();
  const [worker, other] = [await harness.worker(), await harness.worker()];
  await worker.start('writer');
  return {
    harness,
    worker,
    other,
    write: async (...events) => {
      const whole = events.map((event) => (typeof event === 'string' ? newOutboxEvent(event) : event));
      await step(worker, 'writer', ...whole.map((event) => ({ type: 'event', event }) as const));
    },
  };
}

/** Claims as a relayer. */
export function claim(worker: TestWorker, limit = 100): ReturnType<TestWorker['storage']['outbox']['claim']> {
  return worker.storage.outbox.claim({ workerId: worker.workerId, limit });
}

/** The ids of what a claim got. */
export async function ids(worker: TestWorker, limit = 100): Promise<readonly string[]> {
  return (await claim(worker, limit)).events.map(({ eventId }) => eventId);
}

/** Records results. */
export async function settle(worker: TestWorker, ...results: EventResult[]): Promise<void> {
  await worker.storage.outbox.settle({ workerId: worker.workerId, results });
}

/** Events as a person sees them. */
export async function list(harness: StorageHarness, request: Partial<ListRequest> = {}): Promise<readonly OutboxRecord[]> {
  return (await harness.storage()).outbox.list({ ...everything, limit: 100, after: undefined, ...request });
}

/** @throws when there is no such event. */
export async function one(harness: StorageHarness, eventId: string): Promise<OutboxRecord> {
  const [record] = await list(harness, { eventIds: [eventId] });
  if (record === undefined) throw new Error(`there is no event ${eventId}`);
  return record;
}
