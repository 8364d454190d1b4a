// The function in the database by which a worker renews its lease and sees who is dead, who is missing, and what there is to do; and its call.
import type { UpkeepRequest } from '@romancy/core/ports';
import { createFunction } from './create-function.js';
import { callName, functionName } from './function-settings.js';
import { outboxDueAt } from './outbox-functions.js';
import { raw, sql, type Sql, type Statement } from './sql.js';
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

const name = 'upkeep_1';
/** How many columns a row of the answer has besides its tag. */
const upkeepColumns = 6;

/*
 * A function for the reason for which claims are one: nearly all that it cost was its planning, and an idle fleet makes two looks a second.
 *
 * Everything but the renewal is as of the beginning of the statement, and nothing but the worker's own row is locked. Who is found dead here
 * is only told: to declare him dead takes a transaction (see lease-store.ts). Whether a worker owns anything is one look into an index for each; asked by
 * EXISTS, a plan that was made on an empty table would gather the owners of all rows first.
 */

/** To be put into a migration. */
export function createUpkeepFunction(t: TableNames): string {
  const columns = ['tag', ...Array.from({ length: upkeepColumns }, (_, index) => `c${index + 1}`)].map(
    (column) => `${column} text`,
  );
  return createFunction(t, {
    name,
    parameters: 'upkeeper text, lease_ms float8, own_presence text, served text[], suspected text[], suspected_presences text[]',
    returns: `RETURNS TABLE (${columns.join(', ')})`,
    body: `
BEGIN
  IF lease_ms IS NULL THEN
    RETURN QUERY ${statement(t, false)};
  ELSE
    RETURN QUERY ${statement(t, true)};
  END IF;
END
`,
  });
}

/** The call of the function, and the name under which sessions keep it parsed. */
export interface UpkeepCall {
  readonly name: string;
  of(request: UpkeepRequest): Statement;
}

export function createUpkeepCall(tables: TableNames): UpkeepCall {
  const called = raw(functionName(tables, name));
  const of = ({ workerId, renewal, suspects }: UpkeepRequest): Statement => {
    const served = renewal === null ? null : [...new Set(renewal.workflowNames)];
    const renewed = sql`${renewal?.leaseMs ?? null}::float8, ${renewal?.presence ?? null}, ${served}`;
    const suspected = sql`${suspects.map((suspect) => suspect.workerId)}, ${suspects.map((suspect) => suspect.presence)}`;
    return sql`SELECT * FROM ${called}(${workerId}, ${renewed}, ${suspected})`;
  };
  return { name: callName(name, of({ workerId: '', renewal: null, suspects: [] }).text), of };
}

function statement(t: TableNames, renews: boolean): string {
  const own = renews
    ? `UPDATE ${t.workers.text} w SET expires_at = now() + lease_ms * interval '1 millisecond',
          presence = CASE WHEN own_presence IS NOT NULL THEN (SELECT s.presence FROM standing s WHERE s.presence = own_presence LIMIT 1) END
        WHERE w.worker_id = upkeeper RETURNING w.worker_id, w.presence`
    : `SELECT w.worker_id, w.presence FROM ${t.workers.text} w WHERE w.worker_id = upkeeper`;
  const nextDueAt = `(SELECT ${millis('min(h.wake_at)').text}::text FROM unnest(served) AS n (name)
          CROSS JOIN LATERAL (
            SELECT i.wake_at FROM ${t.instances.text} i WHERE i.workflow_name = n.name AND i.wake_at IS NOT NULL
            ORDER BY i.wake_at LIMIT 1
          ) h)`;
  const attention = `UNION ALL (SELECT 'attention', i.instance_id, NULL, NULL, NULL, NULL, NULL FROM ${t.instances.text} i
          WHERE i.owner = upkeeper AND i.attention LIMIT ${mostTold})`;
  return `WITH standing AS MATERIALIZED (${standingPresences.text}
    ), own AS (${own}
    ), others AS MATERIALIZED (
      SELECT w.worker_id, w.presence, w.is_relayer, w.expires_at < now() AS expired, ${signCounts.text} AS sign_counts,
        w.workflow_names && (SELECT o.workflow_names FROM ${t.workers.text} o WHERE o.worker_id = upkeeper) AS serves_same,
        w.presence IS NOT NULL AND ((SELECT i.instance_id FROM ${t.instances.text} i WHERE i.owner = w.worker_id LIMIT 1) IS NOT NULL
          OR (SELECT e.number FROM ${t.outbox.text} e WHERE e.owner = w.worker_id LIMIT 1) IS NOT NULL) AS watched
      FROM ${t.workers.text} w WHERE w.worker_id <> upkeeper
    ), missing AS MATERIALIZED (
      SELECT o.worker_id, o.presence FROM others o
      WHERE o.watched AND o.sign_counts AND CASE WHEN o.watched AND o.sign_counts THEN NOT EXISTS (SELECT FROM standing s WHERE s.presence = o.presence) END
    )
    SELECT 'own', ${clockMillis.text}::text, (SELECT count(*) FROM own)::text, (SELECT o.presence FROM own o), ${renews ? nextDueAt : 'NULL'},
      (SELECT bool_or(o.watched)::text FROM others o), ${renews ? `${millis(outboxDueAt(t)).text}::text` : 'NULL'}
    UNION ALL (SELECT 'dead', o.worker_id, NULL, NULL, NULL, NULL, NULL FROM others o WHERE o.expired LIMIT ${mostTold})
    UNION ALL (SELECT 'dead', m.worker_id, NULL, NULL, NULL, NULL, NULL FROM missing m
      WHERE (m.worker_id, m.presence) IN (SELECT * FROM unnest(suspected, suspected_presences)))
    UNION ALL (SELECT 'missing', m.worker_id, m.presence, NULL, NULL, NULL, NULL FROM missing m LIMIT ${mostMissing})
    UNION ALL (SELECT 'peer', o.worker_id, o.serves_same::text, o.is_relayer::text, NULL, NULL, NULL FROM others o
      WHERE o.serves_same OR o.is_relayer ORDER BY o.worker_id LIMIT ${mostTold})
    ${renews ? attention : ''}`;
}

/** An unsigned number of four bytes as the signed one that a client gave. */
function signed(column: string): string {
  return `CASE WHEN ${column}::int8 > 2147483647 THEN ${column}::int8 - 4294967296 ELSE ${column}::int8 END`;
}
