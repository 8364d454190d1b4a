// The outbox on PostgreSQL, as relayers and people use it.
import type { ClaimedEvent, OutboxFilter, OutboxRecord, OutboxStatus, OutboxStore, Wakeup } from '@romancy/core/ports';
import type { Row } from './row.js';
import type { Database } from './database.js';
import { leaseLost } from './fence.js';
import { callName, functionName } from './function-settings.js';
import { claimEventsFunction, purgeEventsFunction, requeueEventsFunction, settleEventsFunction } from './outbox-functions.js';
import { joined, raw, sql, type Sql } from './sql.js';
import { clockMillis, instant, millis } from './sql-time.js';
import type { TableNames } from './table-names.js';
import { mostTold } from './upkeep-function.js';

/** Events that are removed, or made pending again, in one transaction: each may take a lock of its stream. */
const changedAtOnce = 500;

export function createOutboxStore(database: Database, tables: TableNames): OutboxStore {
  const call = (name: string): Sql => raw(functionName(tables, name));
  const claimCall = (workerId: string, limit: number): Sql => sql`
    SELECT c.event_number::text, c.id, c.of_stream, c.event_type, c.event_source, c.content::text, c.attempt::text,
      ${millis('c.failing_since')}::text, c.alive::text, ${millis('c.next_due_at')}::text, ${clockMillis}::text
    FROM ${call(claimEventsFunction)}(${workerId}, ${limit}) c`;
  const claimName = callName(claimEventsFunction, claimCall('', 0).text);
  return {
    async claim({ workerId, limit }) {
      const answer = await database.preparedRows(claimName, claimCall(workerId, limit));
      const [rest] = answer.slice(-1);
      const [alive, nextDueAt, now] = rest!.slice(8);
      if (alive !== 'true') throw leaseLost(workerId);
      const events = answer.slice(0, -1).sort((a, b) => Number(a[0]) - Number(b[0]));
      return { events: events.map(toClaimedEvent), nextDueAt: toNumber(nextDueAt), now: Number(now) };
    },

    async settle({ workerId, results }) {
      const [row] = await database.rows(sql`
        SELECT s.alive, s.clock FROM ${call(settleEventsFunction)}(${workerId}, ${results.map(({ eventId }) => eventId)},
          ${results.map(({ type }) => type)}, ${results.map((result) => ('dueAt' in result ? result.dueAt : null))},
          ${results.map((result) => ('error' in result ? result.error : null))}) s`);
      const [alive, now] = row!;
      if (alive !== 't') throw leaseLost(workerId);
      return { now: Number(now) };
    },

    async list({ limit, after, ...filter }) {
      // An id that is not there any more is after everything: a page that cannot be found is no page.
      const behind =
        after === undefined ? raw('true') : sql`o.number > (SELECT l.number FROM ${tables.outbox} l WHERE l.event_id = ${after})`;
      const rows = await database.rows(sql`
        SELECT o.event_id, o.stream, o.type, o.source, o.data::text, o.status, o.attempts::text, o.error::text,
          ${millis('o.created_at')}::text, CASE WHEN o.status = 'pending' THEN ${millis('o.due_at')} END::text, ${millis('o.ended_at')}::text
        FROM ${tables.outbox} o WHERE ${matches(filter)} AND ${behind} ORDER BY o.number LIMIT ${limit}`);
      return rows.map(toOutboxRecord);
    },

    async requeue({ limit, ...filter }) {
      let requeued = 0;
      const told: Wakeup[] = [];
      // Each once, though one may be given up again meanwhile.
      for (let last = '0'; requeued < limit;) {
        const most = Math.min(changedAtOnce, limit - requeued);
        const found = await database.rows(sql`
          SELECT o.number::text FROM ${tables.outbox} o
          WHERE o.status IN ('failed', 'invalid') AND ${matches(filter)} AND o.number > ${last}::bigint ORDER BY o.number LIMIT ${most}`);
        if (found.length === 0) break;
        const numbers = found.map(([number]) => number!);
        last = numbers.at(-1)!;
        const [row] = await database.rows(sql`SELECT to_json(${call(requeueEventsFunction)}(${numbers}::bigint[]))`);
        const back = row![0] === null ? [] : (JSON.parse(row![0]!) as readonly string[]);
        requeued += back.length;
        for (const eventId of back.slice(0, mostTold - told.length)) told.push({ kind: 'outbox_pending', eventId });
      }
      return { requeued, wakeups: told };
    },

    async purge({ limit, ...filter }) {
      let purged = 0;
      while (purged < limit) {
        const most = Math.min(changedAtOnce, limit - purged);
        const found = await database.rows(sql`
          SELECT o.number::text FROM ${tables.outbox} o WHERE o.status <> 'sending' AND ${matches(filter)} ORDER BY o.number LIMIT ${most}`);
        if (found.length === 0) break;
        const numbers = found.map(([number]) => number!);
        const [row] = await database.rows(sql`SELECT ${call(purgeEventsFunction)}(${numbers}::bigint[])`);
        const gone = Number(row![0]);
        purged += gone;
        // Somebody has the others: not to be waited for.
        if (gone < most) break;
      }
      return { purged };
    },
  };
}

function matches({ status, eventIds, type, before }: OutboxFilter): Sql {
  const conditions = [
    raw('true'),
    ...(status === undefined ? [] : [sql`o.status = ANY(${status}::text[])`]),
    ...(eventIds === undefined ? [] : [sql`o.event_id = ANY(${eventIds}::text[])`]),
    ...(type === undefined ? [] : [sql`o.type = ${type}`]),
    ...(before === undefined ? [] : [sql`o.created_at < ${instant(before)}`]),
  ];
  return joined(conditions, ' AND ');
}

function toClaimedEvent(row: Row): ClaimedEvent {
  const [, eventId, stream, type, source, data, attempts, failedSince] = row as (string | null)[];
  return {
    eventId: eventId!,
    stream: stream!,
    type: type!,
    source: source!,
    data: data!,
    attempts: Number(attempts),
    failedSince: toNumber(failedSince),
  };
}

function toOutboxRecord(row: Row): OutboxRecord {
  const [eventId, stream, type, source, data, status, attempts, error, createdAt, dueAt, endedAt] = row as (string | null)[];
  return {
    eventId: eventId!,
    stream: stream!,
    type: type!,
    source: source!,
    data: data!,
    status: status as OutboxStatus,
    attempts: Number(attempts),
    error: error!,
    createdAt: Number(createdAt),
    dueAt: toNumber(dueAt),
    endedAt: toNumber(endedAt),
  };
}

function toNumber(text: string | null | undefined): number | null {
  return text === null || text === undefined ? null : Number(text);
}
