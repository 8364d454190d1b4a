// Puts an event into the mail of whoever it is for.
import type { InstanceStore, NewEvent } from '@romancy/core/ports';
import type { Row } from './connection.js';
import type { Database } from './database.js';
import { sql, type Sql } from './sql.js';
import { storedNow } from './sql-time.js';
import type { TableNames } from './table-names.js';

type DeliveryAnswer = Awaited<ReturnType<InstanceStore['deliver']>>;

/*
 * Receivers first: their rows are locked in the order of ids, which waits for whoever changes them and then reads their newest
 * version. Then the event is marked as seen, which waits for another delivery of the same event; that one has its locks already and
 * waits for nothing more, so there is no circle. Then the mail, under the lock of its instance: its ids ascend in the order in which
 * deliveries to one instance commit, and none can appear behind one that was read.
 *
 * Against a park at the same moment: who locks the row first goes first. A park before leaves a row without owner, which is then made
 * claimable here. A park after finds attention set, and is refused. Neither can look at an old version of the row, since both decide
 * after they have the lock. Two statements, one that looks for waiting rows and one that writes the mail, would leave a gap there.
 */
export async function deliverEvent(database: Database, tables: TableNames, event: NewEvent): Promise<DeliveryAnswer> {
  const { eventId, source, channel, data, targetInstanceId } = event;
  const seenBefore = sql`EXISTS (SELECT FROM ${tables.seenEvents} e WHERE e.source = ${source} AND e.event_id = ${eventId})`;
  const isDirect = targetInstanceId !== null;
  const statement = sql`
    WITH receivers AS MATERIALIZED (${isDirect ? target(tables, targetInstanceId, seenBefore) : subscribers(tables, channel, seenBefore)}),
    seen AS (
      INSERT INTO ${tables.seenEvents} (source, event_id, seen_at)
      SELECT ${source}::text, ${eventId}::text, now()
      FROM (SELECT count(*) AS found, count(*) FILTER (WHERE finished_at IS NULL) AS open FROM receivers) r
      WHERE ${isDirect ? sql`r.open = 1` : sql`r.found >= 0`}
      ON CONFLICT (source, event_id) DO NOTHING
      RETURNING source
    ),
    mailed AS (
      INSERT INTO ${tables.mailbox} (instance_id, channel, event_id, source, data, delivered_at)
      SELECT r.instance_id, ${channel}::text, ${eventId}::text, ${source}::text, ${data}::json, now()
      FROM seen CROSS JOIN receivers r
      RETURNING instance_id
    ),
    woken AS (
      UPDATE ${tables.instances} i
      SET version = i.version + 1, attention = i.owner IS NOT NULL,
        wake_at = CASE WHEN i.owner IS NULL THEN least(i.wake_at, ${storedNow}) END
      WHERE i.instance_id = ANY(ARRAY(SELECT instance_id FROM mailed))
    )
    SELECT (${seenBefore})::text, (SELECT count(*) FROM seen), (SELECT count(*) FROM mailed),
      (SELECT count(*) FROM receivers), (SELECT count(*) FROM receivers WHERE finished_at IS NOT NULL)`;
  const answer = ([row]: readonly Row[]): DeliveryAnswer => answerOf(event, row!);
  return answer(await database.rowsWithNotes(statement, { wakeups: (rows) => answer(rows).wakeups }));
}

function answerOf({ eventId, channel, targetInstanceId }: NewEvent, row: Row): DeliveryAnswer {
  const isDirect = targetInstanceId !== null;
  const [wasSeen, marked, mailed, found, finished] = row;
  if (wasSeen === 'true') return { outcome: 'duplicate', receivers: 0, wakeups: [] };
  if (isDirect && found === '0') return { outcome: 'unknown', receivers: 0, wakeups: [] };
  if (isDirect && finished === '1') return { outcome: 'finished', receivers: 0, wakeups: [] };
  if (marked === '0') return { outcome: 'duplicate', receivers: 0, wakeups: [] };
  const receivers = Number(mailed);
  return {
    outcome: 'delivered',
    receivers,
    wakeups: receivers === 0 ? [] : [{ kind: 'channel_message', channelName: channel, messageId: eventId, targetInstanceId }],
  };
}

/** The one instance, finished or not. Nothing is locked when the event is known to be a repetition. */
function target(tables: TableNames, instanceId: string, seenBefore: Sql): Sql {
  return sql`SELECT i.instance_id, i.finished_at FROM ${tables.instances} i
    WHERE i.instance_id = ${instanceId} AND NOT ${seenBefore} FOR NO KEY UPDATE OF i`;
}

/** All that have subscribed to the channel and still run. */
function subscribers(tables: TableNames, channel: string, seenBefore: Sql): Sql {
  return sql`SELECT i.instance_id, i.finished_at FROM ${tables.subscriptions} s
    JOIN ${tables.instances} i ON i.instance_id = s.instance_id
    WHERE s.channel = ${channel} AND i.finished_at IS NULL AND NOT ${seenBefore}
    ORDER BY i.instance_id FOR NO KEY UPDATE OF i`;
}
