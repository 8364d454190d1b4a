// A storage in the test's own process, and short forms of what tests do with it.
import { createSystemClock } from './system-clock.js';
import type {
  Effect,
  IncomingMessage,
  NewHistoryEntry,
  NewInstance,
  NewOutboxEvent,
  ProgressBatch,
  Recipient,
  Settlement,
  Storage,
  UpkeepRequest,
} from '@romancy/core/ports';
import { recordingLogger } from '@romancy/core/testing';
import { createSqliteStorage, type SqliteStorageOptions } from '@romancy/storage-sqlite';
import { afterwards } from '@romancy/test-support';
import type { Clock, Logger } from '@romancy/core/ports';

/** Opened, and closed after the test. */
export async function openStorage(
  options: SqliteStorageOptions,
  context: { readonly clock?: Clock; readonly logger?: Logger } = {},
): Promise<Storage> {
  const storage = createSqliteStorage(options);
  afterwards(() => storage.close());
  await storage.open({ clock: createSystemClock(), logger: recordingLogger(), ...context });
  return storage;
}

export async function register(storage: Pick<Storage, 'leases'>, workerId: string, leaseMs = 3_600_000): Promise<void> {
  await storage.leases.register({ workerId, serviceName: 'tests', leaseMs, workflowNames: ['order'], starts: [] });
}

export function batch(workerId: string, parts: Partial<ProgressBatch>): ProgressBatch {
  return { workerId, starts: [], entries: [], effects: [], subscriptions: [], takenMail: [], settlements: [], ...parts };
}

export function start(instanceId: string, owned = true): NewInstance {
  return { instanceId, workflowName: 'order', input: '{"item":1}', startToken: `token of ${instanceId}`, owned };
}

export function entry(instanceId: string, seq: number): NewHistoryEntry {
  return { instanceId, seq, kind: 'activity_completed', callId: `charge:${seq}`, position: seq - 1, data: '1', dueAt: null };
}

export const subscribers: Recipient = { type: 'subscribers' };

/** From outside; `data` is what is sent, 1 if it does not matter. */
export function incoming(
  messageId: string,
  topic: string,
  { to = subscribers, data = 1 }: { to?: Recipient; data?: unknown } = {},
): IncomingMessage {
  return { messageId, source: '/tests', topic, data: JSON.stringify(data), to, starts: null };
}

/** From within: what the instance's entry of that number brings about. */
export function publishing(
  instanceId: string,
  seq: number,
  { topic, to = subscribers }: { topic: string; to?: Recipient },
): Effect {
  const messageId = `message ${seq} of ${instanceId}`;
  return { type: 'message', instanceId, seq, message: { messageId, topic, data: JSON.stringify(messageId), to } };
}

export function outgoingEvent(eventId: string, stream = 'stream'): NewOutboxEvent {
  return { eventId, stream, type: 'made', source: '/tests', data: '{}' };
}

export function complete(instanceId: string): Settlement {
  return { type: 'finish', instanceId, claim: 1, status: 'completed', output: '1', error: null };
}

export function claimAll(workerId: string) {
  return { workerId, workflowNames: ['order'], limit: 100, historyLimit: 100, mailLimit: 100, holding: null };
}

export const noSignal = new AbortController().signal;

/** An upkeep that renews. */
export function renewal(workerId: string, leaseMs: number): UpkeepRequest {
  return { workerId, renewal: { leaseMs, presence: null, workflowNames: ['order'] }, suspects: [] };
}

/** An upkeep that renews nothing. */
export function look(workerId: string): UpkeepRequest {
  return { workerId, renewal: null, suspects: [] };
}
