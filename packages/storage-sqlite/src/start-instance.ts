// Writes a new instance, or tells whoever wanted a child that its id is taken.
import { childTopic, type NewInstance } from '@romancy/core/ports';
import { putMail } from './put-mail.js';
import { statementText } from './statement-text.js';
import type { WorkerScope } from './worker-scope.js';

const insertInstance = statementText(
  ({ instances }) => `INSERT INTO ${instances}
      (instance_id, workflow_name, status, owner, wake_at, claims, start_token, created_at, parent_id)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (instance_id) DO NOTHING`,
);
const insertInput = statementText(({ inputs }) => `INSERT INTO ${inputs} (id, input) VALUES (?, ?)`);

/** @returns false when the id belongs to an instance of another start. */
export function startInstance(scope: WorkerScope, start: NewInstance): boolean {
  const { connection, tables, workerId, now, lookup } = scope;
  const { instanceId, workflowName, input, startToken, owned, parent } = start;
  const owner = owned ? workerId : null;
  const { changes, lastInsertRowid } = connection.run(
    insertInstance(tables),
    ...[instanceId, workflowName, owned ? 'running' : 'pending', owner, owned ? null : now, owned ? 1 : 0, startToken, now],
    parent?.instanceId ?? null,
  );
  if (changes === 0) {
    if (lookup.get(instanceId).startToken === startToken) return true;
    if (parent !== undefined) tellParent(scope, instanceId, parent);
    return false;
  }
  const id = Number(lastInsertRowid);
  connection.run(insertInput(tables), id, input);
  lookup.add(instanceId, { id, owner, startToken, claims: owned ? 1 : 0 });
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
