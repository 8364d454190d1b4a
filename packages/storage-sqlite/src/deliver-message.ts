// Takes in what comes from outside: into the mail of those it is for, and starts what starts on it.
import { messageWakeup, type Delivery, type IncomingMessage, type Wakeup } from '@romancy/core/ports';
import { inputInRow, keepInput } from './input-place.js';
import { handOut } from './message-queue.js';
import { sendMessage } from './send-message.js';
import type { WriteScope } from './write-scope.js';

type Started = Delivery['started'];

export function deliverMessage(scope: WriteScope, message: IncomingMessage): Delivery {
  const { connection, tables, now } = scope;
  const { source, messageId } = message;
  // Before the target is looked at: what made its target finish is a duplicate when its sender tries again, not an error.
  if (connection.get(`SELECT 1 FROM ${tables.seenEvents} WHERE source = ? AND event_id = ?`, source, messageId) !== undefined) {
    return nothing('duplicate');
  }
  const sent = sendMessage(scope, message, undefined);
  if (sent === 'unknown' || sent === 'finished') return nothing(sent);
  connection.run(`INSERT INTO ${tables.seenEvents} (source, event_id, seen_at) VALUES (?, ?, ?)`, source, messageId, now);
  const receivers = sent === 'queued' ? handOut(scope, message.topic) : sent;
  const started =
    message.to.type === 'subscribers' && message.starts !== null ? startOn(scope, message.topic, message.starts) : [];
  const wakeups: readonly Wakeup[] = started.map((instance) => ({ kind: 'workflow_resumable', ...instance }));
  return {
    outcome: 'delivered',
    receivers,
    started,
    wakeups: receivers === 0 ? wakeups : [messageWakeup(message), ...wakeups],
  };
}

/** One instance of each workflow that starts on the topic; whoever has its id already stays as it is. */
function startOn(
  { connection, tables, now }: WriteScope,
  topic: string,
  { input, idEnding }: NonNullable<IncomingMessage['starts']>,
): Started {
  const sql = `SELECT workflow_name AS workflowName FROM ${tables.eventStarts} WHERE topic = ? ORDER BY workflow_name`;
  const started: Started[number][] = [];
  for (const { workflowName } of connection.all<{ readonly workflowName: string }>(sql, topic)) {
    const instanceId = `${workflowName}:${idEnding}`;
    // No start from elsewhere has such a token: another one with this id is a conflict.
    const { changes, lastInsertRowid } = connection.run(
      `INSERT INTO ${tables.instances}
          (instance_id, workflow_name, status, wake_at, claims, start_token, created_at, input_checked, input)
        VALUES (?, ?, 'pending', ?, 0, 'an event', ?, 0, ?) ON CONFLICT (instance_id) DO NOTHING`,
      ...[instanceId, workflowName, now, now, inputInRow(input)],
    );
    if (changes === 0) continue;
    keepInput(connection, tables, { id: Number(lastInsertRowid), input });
    started.push({ instanceId, workflowName });
  }
  return started;
}

function nothing(outcome: Delivery['outcome']): Delivery {
  return { outcome, receivers: 0, started: [], wakeups: [] };
}
