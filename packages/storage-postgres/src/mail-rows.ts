// Mail on PostgreSQL: what was sent to an instance and waits for it.
import type { Mail } from '@romancy/core/ports';
import type { Row } from './row.js';
import type { Database } from './database.js';
import { raw, sql, type Sql } from './sql.js';
import type { TableNames } from './table-names.js';

/** What is selected of `mailbox m`, in the order that {@link toMail} takes. All as text. */
export const mailColumns: Sql = raw('m.mail_id::text, m.topic, m.data::text, (m.queue_number IS NOT NULL)::text');

export function toMail(row: Row): Mail {
  const [mailId, topic, data, isQueued] = row;
  return { mailId: mailId!, topic: topic!, data: data!, isQueued: isQueued === 'true' };
}

/** Oldest first. Ids are handed out under the lock of the instance's row, so that within one instance they ascend with the commits. */
export function byMailId(a: Mail, b: Mail): number {
  const difference = BigInt(a.mailId) - BigInt(b.mailId);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

export async function readMail(
  database: Database,
  tables: TableNames,
  request: {
    readonly instanceId: string;
    readonly topic: string;
    readonly afterMailId: string | null;
    readonly limit: number;
  },
): Promise<readonly Mail[]> {
  const rows = await database.rows(sql`
    SELECT ${mailColumns} FROM ${tables.mailbox} m
    WHERE m.instance_id = ${request.instanceId} AND m.mail_id > ${request.afterMailId ?? '0'}::bigint AND m.topic = ${request.topic}
    ORDER BY m.mail_id LIMIT ${request.limit}`);
  return rows.map(toMail);
}

/** All mail of some instances, up to a limit for each. */
export async function readMailOf(
  database: Database,
  tables: TableNames,
  request: { readonly instanceIds: readonly string[]; readonly limit: number },
): Promise<ReadonlyMap<string, readonly Mail[]>> {
  const mail = new Map<string, Mail[]>(request.instanceIds.map((instanceId) => [instanceId, []]));
  const rows = await database.rows(sql`
    SELECT x.* FROM unnest(${request.instanceIds}::text[]) AS n (instance_id)
    CROSS JOIN LATERAL (
      SELECT m.instance_id, ${mailColumns} FROM ${tables.mailbox} m
      WHERE m.instance_id = n.instance_id ORDER BY m.mail_id LIMIT ${request.limit}
    ) x`);
  for (const [instanceId, ...rest] of rows) mail.get(instanceId!)!.push(toMail(rest));
  for (const pieces of mail.values()) pieces.sort(byMailId);
  return mail;
}
