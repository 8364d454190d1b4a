// The part of the storage by which events leave.
import { outboxStatuses, type OutboxRecord, type OutboxStore, type Wakeup } from '@romancy/core/ports';
import { claimEvents } from './claim-events.js';
import { findNext } from './outbox-streams.js';
import { scanOutbox } from './scan-outbox.js';
import { settleEvents } from './settle-events.js';
import type { SqliteFile } from './sqlite-file.js';

/** The most that is told of anything in one answer. */
const mostTold = 1000;

interface EventKey {
  readonly eventId: string;
  readonly stream: string;
}

export function createOutboxStore(file: SqliteFile): OutboxStore {
  const { tables } = file;
  const { outbox } = tables;
  return {
    claim: (request) => claimEvents(file, request),
    settle: (request) => file.write((connection) => settleEvents({ connection, tables, now: file.now() }, request)),

    async list({ limit, after, ...filter }) {
      const last = after === undefined ? 0 : await numberOf(file, after);
      if (last === undefined || limit === 0) return [];
      const found = await scanOutbox(file, { filter, statuses: outboxStatuses, after: last, limit });
      const sql = `SELECT event_id AS eventId, stream, type, source, data, status, attempts, error, created_at AS createdAt,
          CASE WHEN status = 'pending' THEN due_at END AS dueAt, ended_at AS endedAt FROM ${outbox} WHERE number = ?`;
      return file.snapshot((connection) => found.flatMap(({ number }) => connection.all<OutboxRecord>(sql, number)));
    },

    async requeue({ limit, ...filter }) {
      if (limit === 0) return { requeued: 0, wakeups: [] };
      const found = await scanOutbox(file, { filter, statuses: ['failed', 'invalid'], after: 0, limit });
      const requeued = await file.write((connection) => {
        const now = file.now();
        const keys = found.flatMap(({ number, status }) =>
          connection.all<EventKey>(
            `UPDATE ${outbox} SET status = 'pending', attempts = 0, failed_since = NULL, error = NULL, due_at = ?, ended_at = NULL
              WHERE number = ? AND status = ? RETURNING event_id AS eventId, stream`,
            ...[now, number, status],
          ),
        );
        // It may be older than what comes next of its stream.
        for (const stream of new Set(keys.map((key) => key.stream))) findNext({ connection, tables }, stream);
        return keys;
      });
      const wakeups = requeued.slice(0, mostTold).map(({ eventId }): Wakeup => ({ kind: 'outbox_pending', eventId }));
      return { requeued: requeued.length, wakeups };
    },

    async purge({ limit, ...filter }) {
      if (limit === 0) return { purged: 0 };
      const statuses = outboxStatuses.filter((status) => status !== 'sending');
      const found = await scanOutbox(file, { filter, statuses, after: 0, limit });
      return file.write((connection) => {
        const sql = `DELETE FROM ${outbox} WHERE number = ? AND status = ? RETURNING event_id AS eventId, stream`;
        const gone = found.flatMap(({ number, status }) => connection.all<EventKey>(sql, number, status));
        for (const stream of new Set(gone.map((key) => key.stream))) findNext({ connection, tables }, stream);
        return { purged: gone.length };
      });
    },
  };
}

/** The place of an event; undefined when there is none of that id. */
async function numberOf(file: SqliteFile, eventId: string): Promise<number | undefined> {
  const sql = `SELECT number FROM ${file.tables.outbox} WHERE event_id = ?`;
  return (await file.read((connection) => connection.get<{ readonly number: number }>(sql, eventId)))?.number;
}
