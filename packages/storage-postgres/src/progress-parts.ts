// The parts of a statement that write what runs recorded: entries, subscriptions, taken mail.
import type { ProgressBatch } from '@romancy/core/ports';
import { entryColumns, entryRows, entryValues } from './history-rows.js';
import { joined, raw, sql, type Sql } from './sql.js';
import type { TableNames } from './table-names.js';

/**
 * To be put into a WITH that has `alive`, and `started`, `held` when there are starts and settlements.
 *
 * The same progress may be on its way twice at one moment, in a commit and in an activity's transaction, and each then waits for the
 * other's rows. Both take them in the same order, since both are made here: that of the parts, and in each part that of the lists.
 * (None of the parts is read by another, so that PostgreSQL carries all of them out at the end of the statement, one by one.)
 */
export function progressParts(tables: TableNames, batch: ProgressBatch): readonly Sql[] {
  return [
    ...(batch.entries.length > 0 ? entryParts(tables, batch) : []),
    ...(batch.subscriptions.length > 0 ? [subscriptionPart(tables, batch)] : []),
    ...(batch.takenMail.length > 0 ? [takenMailPart(tables, batch)] : []),
  ];
}

/** Entries go by the fence alone; only those of an instance that is started here must not land in somebody else's of the same id. */
function entryParts(tables: TableNames, batch: ProgressBatch): readonly Sql[] {
  const starting = startingIds(batch);
  const overlaps = batch.entries.some((entry) => starting.has(entry.instanceId));
  const condition = overlaps
    ? sql`WHERE NOT e.instance_id = ANY(${[...starting]}::text[]) OR EXISTS (SELECT FROM ours o WHERE o.instance_id = e.instance_id)`
    : raw('');
  const ours = sql`ours AS MATERIALIZED (
    SELECT instance_id FROM started
    UNION ALL
    SELECT i.instance_id FROM ${tables.instances} i
    JOIN unnest(${batch.starts.map((start) => start.instanceId)}::text[], ${batch.starts.map((start) => start.startToken)}::text[])
      AS s (instance_id, start_token) ON s.instance_id = i.instance_id AND s.start_token = i.start_token
  )`;
  const recorded = sql`recorded AS (
    INSERT INTO ${tables.history} ${entryColumns}
    SELECT ${entryValues} FROM alive CROSS JOIN ${entryRows(batch.entries)} ${condition}
    ON CONFLICT (instance_id, seq) DO NOTHING
  )`;
  return overlaps ? [ours, recorded] : [recorded];
}

/**
 * A subscription is written while its instance is owned and does not end: a repeated batch must not leave one with an instance that
 * has ended meanwhile. Who is settled here was locked, and `held` knows; of the others the owner is this worker or nobody, and changes
 * by this worker's commits alone.
 */
function subscriptionPart(tables: TableNames, batch: ProgressBatch): Sql {
  const starting = startingIds(batch);
  const settling = new Set(batch.settlements.map((settlement) => settlement.instanceId));
  const of = <T>(pick: (subscription: ProgressBatch['subscriptions'][number]) => T): T[] => batch.subscriptions.map(pick);
  const owned = sql`EXISTS (SELECT FROM ${tables.instances} i WHERE i.instance_id = s.instance_id AND i.owner = ${batch.workerId})`;
  const open = raw('EXISTS (SELECT FROM held h WHERE h.instance_id = s.instance_id AND (h.refused OR NOT h.ended))');
  const isNew = raw('EXISTS (SELECT FROM started n WHERE n.instance_id = s.instance_id AND n.finished_at IS NULL)');
  const condition = joined(
    [
      settling.size === 0 ? owned : sql`CASE WHEN s.settles THEN ${open} ELSE ${owned} END`,
      ...(starting.size === 0 ? [] : [isNew]),
    ],
    ' OR ',
  );
  return sql`subscribed AS (
        INSERT INTO ${tables.subscriptions} (channel, instance_id)
        SELECT s.channel, s.instance_id FROM alive CROSS JOIN unnest(
          ${of(({ channel }) => channel)}::text[], ${of(({ instanceId }) => instanceId)}::text[],
          ${of(({ instanceId }) => settling.has(instanceId))}::bool[]
        ) AS s (channel, instance_id, settles)
        WHERE ${condition}
        ON CONFLICT (channel, instance_id) DO NOTHING
      )`;
}

/**
 * By the places of the rows, looked up one by one: a join would be planned by guesses about tables that are empty in one minute and
 * full in the next, and end up reading all of one. Rows of the mailbox are never updated, and one that this statement sees cannot be
 * vacuumed away under it, so a place holds the row that was found there, or one that somebody else deleted first.
 */
function takenMailPart(tables: TableNames, { takenMail }: ProgressBatch): Sql {
  return sql`taken AS (
    DELETE FROM ${tables.mailbox} WHERE ctid = ANY(ARRAY(
      SELECT x.ctid FROM alive CROSS JOIN unnest(
        ${takenMail.map((mail) => mail.instanceId)}::text[], ${takenMail.map((mail) => mail.mailId)}::bigint[]
      ) AS t (instance_id, mail_id)
      CROSS JOIN LATERAL (
        SELECT m.ctid FROM ${tables.mailbox} m WHERE m.instance_id = t.instance_id AND m.mail_id = t.mail_id LIMIT 1
      ) x
    ))
  )`;
}

function startingIds(batch: ProgressBatch): ReadonlySet<string> {
  return new Set(batch.starts.map((start) => start.instanceId));
}
