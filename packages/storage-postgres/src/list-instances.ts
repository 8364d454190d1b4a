// Lists instances in pages, newest first.
import {
  instanceStatuses,
  type InputFilter,
  type InstanceRecord,
  type InstanceStatus,
  type ListRequest,
} from '@romancy/core/ports';
import type { Database } from './database.js';
import { instanceColumns, toInstanceRecord } from './instance-rows.js';
import { joined, raw, sql, type Sql } from './sql.js';
import { instant } from './sql-time.js';
import type { TableNames } from './table-names.js';

/*
 * A page begins after a pair of creation time and id: rows that are added, or that change their status, move nothing; one that begins anew is as new as
 * one that was added. Creation times are stored in whole milliseconds, so that the pair which a caller hands back is the row's own. The indexes know of
 * the times alone; those of one millisecond, a commit's or two, are sorted as they are read.
 *
 * Each status follows the index on status and creation time and gives one page; the page that is wanted is the newest part of them. Without a status
 * these are all there are. Only what runs is not in that index: it is never more than the workers have room for, and is sorted as it is read.
 *
 * Filters on names, ids and inputs are checked row by row along the way: a listing for people, not a query of a hot path.
 */
export async function listInstances(
  database: Database,
  tables: TableNames,
  request: ListRequest,
): Promise<readonly InstanceRecord[]> {
  const { status: wanted = instanceStatuses } = request;
  // Each once, whatever was asked for.
  const statuses = instanceStatuses.filter((status) => wanted.includes(status));
  if (statuses.length === 0) return [];
  const pages = statuses.map((status) => page(tables, request, status));
  const rows = await database.rows(sql`
    SELECT ${instanceColumns} FROM (${joined(pages, ' UNION ALL ')}) i
    ORDER BY i.created_at DESC, i.instance_id DESC LIMIT ${request.limit}`);
  return rows.map(toInstanceRecord);
}

function page(tables: TableNames, request: ListRequest, status: InstanceStatus): Sql {
  const { workflowName, instanceId, startedAfter, startedBefore, input, after, limit } = request;
  const conditions = [
    // In the text, since only a known status tells the planner that the partial index holds all of its rows.
    raw(`i.status = '${status}'`),
    ...(workflowName === undefined ? [] : [contains('i.workflow_name', workflowName)]),
    ...(instanceId === undefined ? [] : [contains('i.instance_id', instanceId)]),
    ...(startedAfter === undefined ? [] : [sql`i.created_at >= ${instant(startedAfter)}`]),
    ...(startedBefore === undefined ? [] : [sql`i.created_at < ${instant(startedBefore)}`]),
    ...(after === undefined
      ? []
      : [sql`(i.created_at, i.instance_id) < (${instant(after.createdAt)}, ${after.instanceId}::text)`]),
    ...input.map(inputHolds),
  ];
  const from = status === 'running' ? running(tables) : sql`${tables.instances} i`;
  return sql`(SELECT i.* FROM ${from} WHERE ${joined(conditions, ' AND ')}
    ORDER BY i.created_at DESC, i.instance_id DESC LIMIT ${limit})`;
}

/** All that has an owner, worker by worker: no owner is without its row there. (OFFSET keeps the planner from joining the tables as wholes.) */
function running(tables: TableNames): Sql {
  return sql`${tables.workers} w, LATERAL (SELECT * FROM ${tables.instances} o WHERE o.owner = w.worker_id OFFSET 0) i`;
}

/** A part in any case. The database folds letters by its own locale; the collation of the column would fold ASCII alone. */
function contains(column: string, part: string): Sql {
  return sql`strpos(lower(${raw(column)} COLLATE "default"), lower(${part}::text COLLATE "default")) > 0`;
}

/**
 * One step after the other, each by its type: a text is the name of a member and never an index, a number is an index and never a
 * name. What is not there is null to SQL, which is equal to nothing; a JSON null is equal to null.
 */
function inputHolds({ path, equals }: InputFilter): Sql {
  // A payload never has these: the codec writes them in another way.
  if (typeof equals === 'number' && !Number.isFinite(equals)) return raw('false');
  if (typeof equals === 'string' && /\0|\p{Surrogate}/u.test(equals)) return raw('false');
  const steps = path.map((step) => (typeof step === 'number' ? sql` -> ${step}::int` : sql` -> ${step}::text`));
  return sql`(i.input${joined(steps, '')})::jsonb = ${JSON.stringify(equals)}::jsonb`;
}
