// What an owner reads of its instances while it runs them: cancellation and mail.
import type { Mail, RunSignals, RunStore } from '@romancy/core/ports';
import { requireAlive } from './fence.js';
import type { SqliteConnection } from './sqlite-connection.js';
import type { SqliteFile } from './sqlite-file.js';
import type { TableNames } from './table-names.js';

type SignalsRequest = Parameters<RunStore['readSignals']>[0];

interface OwnedRow {
  readonly id: number;
  readonly attention: 0 | 1;
  readonly cancelRequestedAt: number | null;
  readonly cancelReason: string | null;
}

interface MailRow {
  readonly mailId: number;
  readonly topic: string;
  readonly data: string;
  readonly isQueued: 0 | 1;
}

/**
 * Reads first, and takes the write lock only when some instance has attention to be cleared. Without it there is nothing to clear, and
 * whatever comes after the moment of reading sets it, so that a park is refused.
 */
export async function readSignals(file: SqliteFile, request: SignalsRequest): Promise<readonly RunSignals[]> {
  const { tables } = file;
  const read = (connection: SqliteConnection): ReturnType<typeof signalsOf> => {
    requireAlive(connection, tables, request.workerId);
    return signalsOf(connection, tables, request);
  };
  const look = await file.snapshot(read);
  if (look.attentive.length === 0) return look.signals;
  return file.write((connection) => {
    // Cleared and read in one transaction: what comes later finds the attention cleared and sets it again.
    const { attentive, signals } = read(connection);
    for (const id of attentive) connection.run(`UPDATE ${tables.instances} SET attention = 0 WHERE id = ?`, id);
    return signals;
  });
}

/** Mail of all topics, or of one after a piece of it; oldest first. */
export function readMail(
  connection: SqliteConnection,
  {
    tables,
    id,
    topic,
    after,
    limit,
  }: {
    readonly tables: TableNames;
    /** The number of the instance inside of the database. */
    readonly id: number;
    readonly topic?: string;
    /** The piece itself may have been taken since: numbers are never given twice, so it still tells the place. */
    readonly after?: string | null;
    readonly limit: number;
  },
): readonly Mail[] {
  const columns = `SELECT mail_id AS mailId, topic, data, queue_place IS NOT NULL AS isQueued FROM ${tables.mailbox}`;
  const rows =
    topic === undefined
      ? connection.all<MailRow>(`${columns} WHERE id = ? ORDER BY mail_id LIMIT ?`, id, limit)
      : connection.all<MailRow>(
          `${columns} WHERE id = ? AND topic = ? AND mail_id > ? ORDER BY mail_id LIMIT ?`,
          ...[id, topic, Number(after ?? 0), limit],
        );
  return rows.map((row) => ({ mailId: String(row.mailId), topic: row.topic, data: row.data, isQueued: row.isQueued === 1 }));
}

function signalsOf(
  connection: SqliteConnection,
  tables: TableNames,
  { workerId, instanceIds, mailLimit }: SignalsRequest,
): { readonly signals: readonly RunSignals[]; readonly attentive: readonly number[] } {
  const sql = `SELECT id, attention, cancel_requested_at AS cancelRequestedAt, cancel_reason AS cancelReason
    FROM ${tables.instances} WHERE instance_id = ? AND owner = ?`;
  const signals: RunSignals[] = [];
  const attentive: number[] = [];
  for (const instanceId of new Set(instanceIds)) {
    const row = connection.get<OwnedRow>(sql, instanceId, workerId);
    if (row === undefined) continue;
    if (row.attention === 1) attentive.push(row.id);
    signals.push({
      instanceId,
      cancel: row.cancelRequestedAt === null ? null : { reason: row.cancelReason },
      mail: readMail(connection, { tables, id: row.id, limit: mailLimit }),
    });
  }
  return { signals, attentive };
}
