// Commits a batch of progress and tells what of it was refused.
import { handedWakeup, type CommitNews, type HandedMail, type ProgressResult, type Wakeup } from '@romancy/core/ports';
import type { CommitCall } from './commit-call.js';
import type { CommitContent } from './commit-content.js';
import type { Row } from './connection.js';
import { leaseLost } from './fence.js';
import type { Statement } from './sql.js';

/** @param rows sends the statement: to a connection of its own, or within a transaction. */
export async function commitProgress(
  rows: (statement: Statement) => Promise<readonly Row[]>,
  call: CommitCall,
  batch: CommitContent,
): Promise<ProgressResult> {
  const [answer] = await rows(call.of(batch));
  const [alive, clock, conflicts, refused, undelivered, undeliveredAtEnd, handed] = answer!;
  if (alive !== 't') throw leaseLost(batch.workerId);
  return {
    conflicts: list<string>(conflicts!),
    refused: list<string>(refused!),
    undelivered: [...list<Undelivered>(undelivered!), ...list<Undelivered>(undeliveredAtEnd!)],
    ...handedNews(handed!, batch),
    now: Number(clock),
  };
}

/** What the answer says of messages of queues. What the batch sent itself is told by the batch. */
export function handedNews(handed: string | null, { effects, granted = [] }: CommitContent): Omit<CommitNews, 'undelivered'> {
  if (handed === null) return { wakeups: [], attention: [] };
  const own = new Set([...effects, ...granted].map((effect) => (effect.type === 'message' ? effect.message.messageId : '')));
  const [wakeups, attention, mails] = [[] as Wakeup[], [] as string[], [] as HandedMail[]];
  for (const [instanceId, topic, messageId, isHere, mailId, data, mark] of list<Handed>(handed)) {
    if (isHere !== true) {
      if (!own.has(messageId)) wakeups.push(handedWakeup({ instanceId, topic, messageId }));
    } else if (mark === null || mailId === null || data === null) attention.push(instanceId);
    else mails.push({ instanceId, mail: { mailId, topic, data, isQueued: true }, mark });
  }
  return { wakeups, attention, handed: mails };
}

/** An instance, a topic, a message's id, whether the instance is this worker's (null: it is nobody's), the mail and its data if it is, and a mark. */
type Handed = readonly [string, string, string, boolean | null, string | null, string | null, string | null];

type Undelivered = ProgressResult['undelivered'][number];

function list<T>(json: string | null): readonly T[] {
  return json === null ? [] : (JSON.parse(json) as T[]);
}
