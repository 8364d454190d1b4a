// Puts an event into the mail of those it is for.
import { isFinal, type InstanceStatus, type InstanceStore, type NewEvent, type Wakeup } from '@romancy/core/ports';
import { drawAttention } from './draw-attention.js';
import type { SqliteConnection } from './sqlite-connection.js';
import type { TableNames } from './table-names.js';

type Delivery = Awaited<ReturnType<InstanceStore['deliver']>>;

interface Scope {
  readonly tables: TableNames;
  readonly now: number;
  readonly event: NewEvent;
}

/** Works through a connection on which a transaction is open. */
export function deliverEvent(connection: SqliteConnection, { tables, now, event }: Scope): Delivery {
  const { eventId, source, channel, data, targetInstanceId } = event;
  // Before the target is looked at: an event that made its target finish is a duplicate when its sender tries again, not an error.
  if (connection.get(`SELECT 1 FROM ${tables.seenEvents} WHERE source = ? AND event_id = ?`, source, eventId) !== undefined) {
    return { outcome: 'duplicate', receivers: 0, wakeups: [] };
  }
  const receivers =
    targetInstanceId === null ? subscribers(connection, tables, channel) : target(connection, tables, targetInstanceId);
  if (typeof receivers === 'string') return { outcome: receivers, receivers: 0, wakeups: [] };
  connection.run(`INSERT INTO ${tables.seenEvents} (source, event_id, seen_at) VALUES (?, ?, ?)`, source, eventId, now);
  for (const id of receivers) {
    connection.run(`INSERT INTO ${tables.mailbox} (id, channel, data) VALUES (?, ?, ?)`, id, channel, data);
    drawAttention(connection, { tables, now, id });
  }
  const wakeup: Wakeup = { kind: 'channel_message', channelName: channel, messageId: eventId, targetInstanceId };
  return { outcome: 'delivered', receivers: receivers.length, wakeups: receivers.length === 0 ? [] : [wakeup] };
}

function target(
  connection: SqliteConnection,
  tables: TableNames,
  instanceId: string,
): readonly number[] | 'unknown' | 'finished' {
  const sql = `SELECT id, status FROM ${tables.instances} WHERE instance_id = ?`;
  const row = connection.get<{ readonly id: number; readonly status: InstanceStatus }>(sql, instanceId);
  if (row === undefined) return 'unknown';
  return isFinal(row.status) ? 'finished' : [row.id];
}

/** Instances that have ended have no subscriptions. */
function subscribers(connection: SqliteConnection, tables: TableNames, channel: string): readonly number[] {
  const sql = `SELECT id FROM ${tables.subscriptions} WHERE channel = ?`;
  return connection.all<{ readonly id: number }>(sql, channel).map(({ id }) => id);
}
