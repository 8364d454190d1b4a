// Reads what came for instances of a worker, and clears their attention.
import type { Mail, RunSignals } from '@romancy/core/ports';
import type { Database } from './database.js';
import { aliveRow, leaseLost } from './fence.js';
import { byMailId, mailColumns, readMailOf, toMail } from './mail-rows.js';
import { sql } from './sql.js';
import type { TableNames } from './table-names.js';

export interface SignalsRequest {
  readonly workerId: string;
  readonly instanceIds: readonly string[];
  readonly mailLimit: number;
}

/*
 * Mail is read as of the beginning of the statement. Of an instance without attention then, nothing is cleared, so whatever comes
 * after it will be told. One with attention is locked and cleared; when a delivery came before the lock was had, the version of the
 * locked row is not that of the beginning, and its mail is read again afterwards, by a statement that sees all that was cleared.
 */
export async function readSignals(
  database: Database,
  tables: TableNames,
  request: SignalsRequest,
): Promise<readonly RunSignals[]> {
  const { workerId, instanceIds, mailLimit } = request;
  const answer = await database.rows(sql`
    WITH alive AS MATERIALIZED (${aliveRow(tables, workerId)}),
    mine AS MATERIALIZED (
      SELECT i.instance_id, i.version, i.cancel_requested_at, i.cancel_reason FROM ${tables.instances} i
      WHERE i.instance_id = ANY(${instanceIds}::text[]) AND i.owner = ${workerId}
    ),
    held AS MATERIALIZED (
      SELECT i.instance_id FROM ${tables.instances} i
      WHERE i.instance_id = ANY(${instanceIds}::text[]) AND i.owner = ${workerId} AND i.attention AND EXISTS (SELECT FROM alive)
      ORDER BY i.instance_id FOR NO KEY UPDATE
    ),
    cleared AS (
      UPDATE ${tables.instances} i SET attention = false, version = i.version + 1
      WHERE i.instance_id = ANY(ARRAY(SELECT instance_id FROM held))
      RETURNING i.instance_id, i.version, i.cancel_requested_at, i.cancel_reason
    )
    SELECT 'alive', worker_id, NULL, NULL, NULL, NULL FROM alive
    UNION ALL
    SELECT 'signals', m.instance_id, (coalesce(c.cancel_requested_at, m.cancel_requested_at) IS NOT NULL)::text,
      coalesce(c.cancel_reason, m.cancel_reason), coalesce(c.version <> m.version + 1, false)::text, NULL
    FROM mine m LEFT JOIN cleared c ON c.instance_id = m.instance_id
    UNION ALL
    SELECT 'mail', x.* FROM mine n CROSS JOIN LATERAL (
      SELECT m.instance_id, ${mailColumns} FROM ${tables.mailbox} m
      WHERE m.instance_id = n.instance_id ORDER BY m.mail_id LIMIT ${mailLimit}
    ) x`);
  if (!answer.some(([tag]) => tag === 'alive')) throw leaseLost(workerId);

  const signals = answer.filter(([tag]) => tag === 'signals').map((row) => row.slice(1));
  const mail = new Map<string, Mail[]>(signals.map((row) => [row[0]!, []]));
  for (const [tag, instanceId, ...row] of answer) if (tag === 'mail') mail.get(instanceId!)!.push(toMail(row));
  const stale = signals.filter((row) => row[3] === 'true').map((row) => row[0]!);
  if (stale.length > 0) {
    const newer = await readMailOf(database, tables, { instanceIds: stale, limit: mailLimit });
    for (const [instanceId, pieces] of newer) mail.set(instanceId, [...pieces]);
  }
  const rowOf = new Map(signals.map((row) => [row[0]!, row]));
  // In the order in which they were asked for.
  return [...new Set(instanceIds)].flatMap((instanceId) => {
    const row = rowOf.get(instanceId);
    if (row === undefined) return [];
    const cancel = row[1] === 'true' ? { reason: row[2] ?? null } : null;
    return [{ instanceId, cancel, mail: mail.get(instanceId)!.sort(byMailId) }];
  });
}
