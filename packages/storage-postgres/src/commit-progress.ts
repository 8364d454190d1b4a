// Commits a batch of progress and tells what of it was refused.
import { handedWakeup, type CommitNews, type HandedMail, type ProgressResult, type Wakeup } from '@romancy/core/ports';
import type { HandedRow } from './commit-answer.js';
import type { CommitCall } from './commit-call.js';
import type { CommitContent } from './commit-content.js';
import type { Row } from './row.js';
import { leaseLost } from './fence.js';
import type { Statement } from './sql.js';

/** @param rows sends the statement: to a connection of its own, or within a transaction. */
export async function commitProgress(
  rows: (statement: Statement) => Promise<readonly Row[]>,
  call: CommitCall,
  batch: CommitContent,
): Promise<ProgressResult> {
  const [row] = await rows(call.of(batch));
  const answer = call.read(row!);
  if (answer === null) throw leaseLost(batch.workerId);
  const { conflicts, refused, undelivered, handed, clock: now } = answer;
  return { conflicts, refused, undelivered, ...handedNews(handed, batch), now };
}

/** Of a commit that came to nothing for others. @param clock the database's, in milliseconds, as text */
export function plainResult(clock: string, conflicts: readonly string[] = []): ProgressResult {
  return { conflicts, refused: [], undelivered: [], wakeups: [], attention: [], now: Number(clock) };
}

/** What the answer says of messages of queues. What the batch sent itself is told by the batch. */
export function handedNews(
  handed: readonly HandedRow[] | null,
  { effects, granted = [] }: CommitContent,
): Omit<CommitNews, 'undelivered'> {
  if (handed === null) return { wakeups: [], attention: [] };
  const own = new Set([...effects, ...granted].map((effect) => (effect.type === 'message' ? effect.message.messageId : '')));
  const [wakeups, attention, mails] = [[] as Wakeup[], [] as string[], [] as HandedMail[]];
  for (const [instanceId, topic, messageId, isHere, mailId, data, mark] of handed) {
    if (isHere !== true) {
      if (!own.has(messageId)) wakeups.push(handedWakeup({ instanceId, topic, messageId }));
    } else if (mark === null || mailId === null || data === null) attention.push(instanceId);
    else mails.push({ instanceId, mail: { mailId, topic, data, isQueued: true }, mark });
  }
  return { wakeups, attention, handed: mails };
}
