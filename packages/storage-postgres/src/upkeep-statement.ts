// The one statement by which a worker renews its lease and sees who is dead, who is missing, and what there is to do.
import type { UpkeepRequest } from '@romancy/core/ports';
import { outboxDueAt } from './outbox-functions.js';
import { raw, sql, type Sql } from './sql.js';
import { clockMillis, millis } from './sql-time.js';
import type { TableNames } from './table-names.js';

/** What a row of the answer is about; its six other columns depend on it. */
export type UpkeepTag = 'own' | 'dead' | 'missing' | 'peer' | 'attention';

/** The most that is told of anything in one answer. */
export const mostTold = 1000;
const mostMissing = 100;

/**
 * The signs of processes that stand in this database at this moment: advisory locks by two keys, held by the listening sessions of
 * notifiers. `pg_locks` shows keys without a sign, a presence has them with it.
 *
 * Reading the view stops all other taking of locks in the server for a moment, so it is read only where somebody asks: for the own presence
 * at a renewal, and for those of others while one of them owns instances or events.
 */
export const standingPresences: Sql = raw(`
  SELECT concat_ws(':', 'advisory', ${signed('l.classid')}, ${signed('l.objid')}) AS presence FROM pg_locks l
  WHERE l.locktype = 'advisory' AND l.objsubid = 2 AND l.granted
    AND l.database = (SELECT a.datid FROM pg_stat_get_activity(pg_backend_pid()) a)`);

/**
 * Whether the sign of worker `w` is to be looked for. A server that has just begun has ended all sessions with the one before: workers that
 * live need a moment until they take a new sign or withdraw the old one. Who registered since then has a sign of this server.
 */
export const signCounts: Sql = raw(
  `(pg_postmaster_start_time() < now() - interval '10 seconds' OR w.registered_at > pg_postmaster_start_time())`,
);

/**
 * Everything but the renewal is as of the beginning of the statement, and nothing but the worker's own row is locked. Who is found dead here
 * is only told: to declare him dead takes a transaction (see lease-store.ts).
 */
export function upkeepStatement(tables: TableNames, { workerId, renewal, suspects }: UpkeepRequest): Sql {
  const own =
    renewal === null
      ? sql`SELECT w.worker_id, w.presence FROM ${tables.workers} w WHERE w.worker_id = ${workerId}`
      : sql`UPDATE ${tables.workers} w SET expires_at = now() + ${renewal.leaseMs}::float8 * interval '1 millisecond',
          presence = ${renewal.presence === null ? raw('NULL') : sql`(SELECT s.presence FROM standing s WHERE s.presence = ${renewal.presence} LIMIT 1)`}
        WHERE w.worker_id = ${workerId} RETURNING w.worker_id, w.presence`;
  const nextDueAt =
    renewal === null
      ? raw('NULL')
      : sql`(SELECT ${millis('min(h.wake_at)')}::text FROM unnest(${[...new Set(renewal.workflowNames)]}::text[]) AS n (name)
          CROSS JOIN LATERAL (
            SELECT i.wake_at FROM ${tables.instances} i WHERE i.workflow_name = n.name AND i.wake_at IS NOT NULL
            ORDER BY i.wake_at LIMIT 1
          ) h)`;
  const attention =
    renewal === null
      ? raw('')
      : sql`UNION ALL (SELECT 'attention', i.instance_id, NULL, NULL, NULL, NULL, NULL FROM ${tables.instances} i
          WHERE i.owner = ${workerId} AND i.attention LIMIT ${mostTold})`;
  const suspected = suspects.map((suspect) => suspect.workerId);
  const presences = suspects.map((suspect) => suspect.presence);
  return sql`WITH standing AS MATERIALIZED (${standingPresences}
    ), own AS (${own}
    ), others AS MATERIALIZED (
      SELECT w.worker_id, w.presence, w.workflow_names, w.expires_at < now() AS expired, ${signCounts} AS sign_counts,
        w.presence IS NOT NULL AND (EXISTS (SELECT FROM ${tables.instances} i WHERE i.owner = w.worker_id)
          OR EXISTS (SELECT FROM ${tables.outbox} e WHERE e.owner = w.worker_id)) AS watched
      FROM ${tables.workers} w WHERE w.worker_id <> ${workerId}
    ), missing AS MATERIALIZED (
      SELECT o.worker_id, o.presence FROM others o
      WHERE o.watched AND o.sign_counts AND CASE WHEN o.watched AND o.sign_counts THEN NOT EXISTS (SELECT FROM standing s WHERE s.presence = o.presence) END
    )
    SELECT 'own', ${clockMillis}::text, (SELECT count(*) FROM own)::text, (SELECT o.presence FROM own o), ${nextDueAt},
      (SELECT bool_or(o.watched)::text FROM others o), ${renewal === null ? raw('NULL') : millis(outboxDueAt(tables))}::text
    UNION ALL (SELECT 'dead', o.worker_id, NULL, NULL, NULL, NULL, NULL FROM others o WHERE o.expired LIMIT ${mostTold})
    UNION ALL (SELECT 'dead', m.worker_id, NULL, NULL, NULL, NULL, NULL FROM missing m
      WHERE (m.worker_id, m.presence) IN (SELECT * FROM unnest(${suspected}::text[], ${presences}::text[])))
    UNION ALL (SELECT 'missing', m.worker_id, m.presence, NULL, NULL, NULL, NULL FROM missing m LIMIT ${mostMissing})
    UNION ALL (SELECT 'peer', o.worker_id, NULL, NULL, NULL, NULL, NULL FROM others o
      WHERE o.workflow_names && (SELECT w.workflow_names FROM ${tables.workers} w WHERE w.worker_id = ${workerId})
      ORDER BY o.worker_id LIMIT ${mostTold})
    ${attention}`;
}

/** An unsigned number of four bytes as the signed one that a client gave. */
function signed(column: string): string {
  return `CASE WHEN ${column}::int8 > 2147483647 THEN ${column}::int8 - 4294967296 ELSE ${column}::int8 END`;
}
