// Claims of the outbox: what comes next of streams becomes this relayer's.
import type { ClaimedEvent, OutboxStore } from '@romancy/core/ports';
import { requireAlive } from './fence.js';
import { findNext, outboxDueAt } from './outbox-streams.js';
import type { SqliteFile } from './sqlite-file.js';
import type { WriteScope } from './write-scope.js';

type EventClaim = Parameters<OutboxStore['claim']>[0];
type EventClaimResult = Awaited<ReturnType<OutboxStore['claim']>>;

interface EventRow extends ClaimedEvent {
  readonly number: number;
  readonly dueAt: number;
}

/** An idle relayer looks often and finds nothing: so a look comes first, which takes no lock. */
export async function claimEvents(file: SqliteFile, request: EventClaim): Promise<EventClaimResult> {
  const { tables } = file;
  const look = await file.snapshot((connection) => {
    requireAlive(connection, tables, request.workerId);
    return { events: [], nextDueAt: outboxDueAt(connection, tables), now: file.now() };
  });
  if (request.limit === 0 || look.nextDueAt === null || look.nextDueAt > look.now) return look;
  return file.write((connection) => {
    requireAlive(connection, tables, request.workerId);
    const now = file.now();
    const events = claim({ connection, tables, now }, request);
    return { events, nextDueAt: outboxDueAt(connection, tables), now };
  });
}

/** Stream by stream, the longest due first: its oldest event, and as many of those behind it as are due without a gap. */
function claim(scope: WriteScope, { workerId, limit }: EventClaim): readonly ClaimedEvent[] {
  const { connection, tables, now } = scope;
  const columns = `number, event_id AS eventId, stream, type, source, data, attempts, failed_since AS failedSince, due_at AS dueAt`;
  const heads = connection.all<{ readonly stream: string }>(
    `SELECT stream FROM ${tables.outbox} WHERE turn_at IS NOT NULL AND turn_at <= ? ORDER BY turn_at, number LIMIT ?`,
    ...[now, limit],
  );
  const next = `SELECT ${columns} FROM ${tables.outbox} WHERE stream = ? AND ended_at IS NULL ORDER BY number LIMIT ?`;
  const take = `UPDATE ${tables.outbox} SET status = 'sending', owner = ? WHERE number = ?`;
  const claimed: EventRow[] = [];
  for (const { stream } of heads) {
    const room = limit - claimed.length;
    if (room === 0) break;
    const unsent = connection.all<EventRow>(next, stream, room);
    // One that waits for its next attempt keeps back what follows, due or not.
    const waiting = unsent.findIndex(({ dueAt }) => dueAt > now);
    const taken = waiting === -1 ? unsent : unsent.slice(0, waiting);
    for (const { number } of taken) connection.run(take, workerId, number);
    findNext(scope, stream);
    claimed.push(...taken);
  }
  return claimed.sort((a, b) => a.number - b.number).map(({ number: _number, dueAt: _dueAt, ...event }) => event);
}
