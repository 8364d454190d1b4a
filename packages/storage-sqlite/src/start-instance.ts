// Writes a new instance, or tells whoever wanted a child that its id is taken.
import { childTopic, type NewInstance } from '@romancy/core/ports';
import { inputInRow, keepInput } from './input-place.js';
import { putMail } from './put-mail.js';
import { statementText } from './statement-text.js';
import type { WorkerScope } from './worker-scope.js';

/** What a start writes into the row, in the order of {@link startValues}. */
export const startColumns =
  'instance_id, workflow_name, status, owner, wake_at, claims, start_token, created_at, parent_id, input';

const insertInstance = statementText(
  ({ instances }) =>
    `INSERT INTO ${instances} (${startColumns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (instance_id) DO NOTHING`,
);

/** @param workerId who owns it if it is to be owned. */
export function startValues(start: NewInstance, workerId: string, now: number): readonly unknown[] {
  const { instanceId, workflowName, input, startToken, owned, parent } = start;
  const [status, owner, wakeAt, claims] = owned ? ['running', workerId, null, 1] : ['pending', null, now, 0];
  return [
    instanceId,
    workflowName,
    status,
    owner,
    wakeAt,
    claims,
    startToken,
    now,
    parent?.instanceId ?? null,
    inputInRow(input),
  ];
}

/** @returns false when the id belongs to an instance of another start. */
export function startInstance(scope: WorkerScope, start: NewInstance): boolean {
  const { connection, tables, workerId, lookup, now } = scope;
  const { instanceId, input, startToken, owned, parent } = start;
  const { changes, lastInsertRowid } = connection.run(insertInstance(tables), ...startValues(start, workerId, now));
  if (changes === 0) {
    if (lookup.get(instanceId).startToken === startToken) return true;
    if (parent !== undefined) tellParent(scope, instanceId, parent);
    return false;
  }
  const id = Number(lastInsertRowid);
  keepInput(connection, tables, { id, input });
  lookup.add(instanceId, { id, owner: owned ? workerId : null, startToken, claims: owned ? 1 : 0 });
  return true;
}

/**
 * Once, however often the start is repeated: as long as the parent's run may repeat it, the parent is this worker's, and has not taken
 * what it was told the first time, since that would be part of a later commit.
 */
function tellParent(scope: WorkerScope, childId: string, { instanceId, conflict }: NonNullable<NewInstance['parent']>): void {
  const { connection, tables, workerId, lookup } = scope;
  const parent = lookup.find(instanceId);
  if (parent?.owner !== workerId) return;
  const topic = childTopic(childId);
  const told = `SELECT 1 FROM ${tables.mailbox} WHERE id = ? AND topic = ? AND message_id = ?`;
  if (connection.get(told, parent.id, topic, conflict.messageId) !== undefined) return;
  putMail(scope, { topic, ...conflict }, [parent.id]);
}
