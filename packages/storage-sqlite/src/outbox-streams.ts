// The streams of the outbox: who of each comes next.
import type { NewOutboxEvent } from '@romancy/core/ports';
import type { SqliteConnection } from './sqlite-connection.js';
import type { TableNames } from './table-names.js';
import type { WriteScope } from './write-scope.js';

/** Writes it at the end of its stream, unless there is one with its id. When nothing of the stream is unsent, it comes next. */
export function writeEvent({ connection, tables, now }: WriteScope, event: NewOutboxEvent): void {
  const { eventId, stream, type, source, data } = event;
  connection.run(
    `INSERT INTO ${tables.outbox} (event_id, stream, type, source, data, status, due_at, turn_at, created_at)
      VALUES (?, ?, ?, ?, ?, 'pending', ?, ?, ?) ON CONFLICT (event_id) DO NOTHING`,
    ...[eventId, stream, type, source, data, now, hasUnsent(connection, tables, stream) ? null : now, now],
  );
}

function hasUnsent(connection: SqliteConnection, tables: TableNames, stream: string): boolean {
  return connection.get(`SELECT 1 FROM ${tables.outbox} WHERE stream = ? AND ended_at IS NULL LIMIT 1`, stream) !== undefined;
}

/**
 * Finds anew who comes next: the oldest unsent event, as long as nobody has any event of the stream. To be called whenever an event was
 * claimed, handed back, ended, requeued or removed.
 */
export function findNext({ connection, tables }: Pick<WriteScope, 'connection' | 'tables'>, stream: string): void {
  const { outbox } = tables;
  connection.run(`UPDATE ${outbox} SET turn_at = NULL WHERE stream = ? AND turn_at IS NOT NULL`, stream);
  const held = `SELECT 1 FROM ${outbox} INDEXED BY ${outbox}_held WHERE stream = ? AND owner IS NOT NULL LIMIT 1`;
  if (connection.get(held, stream) !== undefined) return;
  connection.run(
    `UPDATE ${outbox} SET turn_at = due_at
      WHERE number = (SELECT number FROM ${outbox} WHERE stream = ? AND ended_at IS NULL ORDER BY number LIMIT 1)`,
    stream,
  );
}

/** Hands back what a relayer had, in the transaction that removes its row. @returns the id of one of them; undefined: it had none. */
export function releaseEvents(scope: Pick<WriteScope, 'connection' | 'tables'>, workerId: string): string | undefined {
  const { connection, tables } = scope;
  const sql = `UPDATE ${tables.outbox} SET owner = NULL, status = 'pending' WHERE owner = ? RETURNING stream, event_id AS eventId`;
  const released = connection.all<{ readonly stream: string; readonly eventId: string }>(sql, workerId);
  for (const stream of new Set(released.map((row) => row.stream))) findNext(scope, stream);
  return released[0]?.eventId;
}

/** When the next event is due that can be claimed; null: there is none. It may be past. */
export function outboxDueAt(connection: SqliteConnection, tables: TableNames): number | null {
  const sql = `SELECT turn_at AS turnAt FROM ${tables.outbox} WHERE turn_at IS NOT NULL ORDER BY turn_at LIMIT 1`;
  return connection.get<{ readonly turnAt: number }>(sql)?.turnAt ?? null;
}
