// An instance that does nothing but receive: what an engine would commit for it, without one.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Effect, NewHistoryEntry, Storage } from '@romancy/core/ports';
import { batch } from './local-storage.js';

/** One topic of each mode. */
export const jobs = 'channel:jobs';
export const news = 'channel:news';

export interface Receiver {
  readonly workerId: string;
  readonly instanceId: string;
  /** The number of its next entry. */
  readonly seq: number;
}

/**
 * Records what comes, piece by piece, and waits for one message of the queue at a time, until the signal aborts.
 */
export async function receive(storage: Pick<Storage, 'runs'>, receiver: Receiver, signal: AbortSignal): Promise<void> {
  const { workerId, instanceId } = receiver;
  let seq = receiver.seq;
  let isSeeking = false;
  const entry = (kind: NewHistoryEntry['kind'], data: string | null): NewHistoryEntry => {
    const number = seq++;
    return { instanceId, seq: number, kind, callId: `receive:${number}`, position: number, data, dueAt: null };
  };
  while (!signal.aborted) {
    const [signals] = await storage.runs.readSignals({ workerId, instanceIds: [instanceId], mailLimit: 10 });
    const mail = signals?.mail ?? [];
    const entries = mail.map(({ data }) => entry('message_received', data));
    if (mail.some(({ isQueued }) => isQueued)) isSeeking = false;
    const effects: Effect[] = [];
    if (!isSeeking) {
      const set = entry('receive_set', null);
      entries.push(set);
      effects.push({ instanceId, seq: set.seq, type: 'seek', topic: jobs });
      isSeeking = true;
    }
    if (entries.length === 0) {
      await sleep(2);
      continue;
    }
    await storage.runs.commit(
      batch(workerId, { entries, effects, takenMail: mail.map(({ mailId }) => ({ instanceId, mailId })) }),
    );
  }
}
