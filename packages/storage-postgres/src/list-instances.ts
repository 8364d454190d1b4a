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
 * Without a status the pages follow the index on creation time. With statuses each of them follows the index on status and creation
 * time and gives one page; the page that is wanted is the newest part of them. Only completed instances are not in that index: they
 * are most of all, and the index on creation time finds them soon enough.
 *
 * Filters on names, ids and inputs are checked row by row along the way: a listing for people, not a query of a hot path.
 */
export async function listInstances(
  database: Database,
  tables: TableNames,
  request: ListRequest,
): Promise<readonly InstanceRecord[]> {
  const statuses =
    request.status === undefined ? undefined : instanceStatuses.filter((status) => request.status!.includes(status));
  if (statuses?.length === 0) return [];
  const pages = statuses === undefined ? [page(tables, request)] : statuses.map((status) => page(tables, request, status));
  const rows = await database.rows(sql`
    SELECT ${instanceColumns} FROM (${joined(pages, ' UNION ALL ')}) i
    ORDER BY i.created_at DESC, i.instance_id DESC LIMIT ${request.limit}`);
  return rows.map(toInstanceRecord);
}

function page(tables: TableNames, request: ListRequest, status?: InstanceStatus): Sql {
  const { workflowName, instanceId, startedAfter, startedBefore, input, after, limit } = request;
  const conditions = [
    raw('true'),
    // In the text, since only a known status tells the planner that the partial index holds all of its rows.
    ...(status === undefined ? [] : [raw(`i.status = '${status}'`)]),
    ...(workflowName === undefined ? [] : [contains('i.workflow_name', workflowName)]),
    ...(instanceId === undefined ? [] : [contains('i.instance_id', instanceId)]),
    ...(startedAfter === undefined ? [] : [sql`i.created_at >= ${instant(startedAfter)}`]),
    ...(startedBefore === undefined ? [] : [sql`i.created_at < ${instant(startedBefore)}`]),
    ...(after === undefined
      ? []
      : [sql`(i.created_at, i.instance_id) < (${instant(after.createdAt)}, ${after.instanceId}::text)`]),
    ...input.map(inputHolds),
  ];
  return sql`(SELECT i.* FROM ${tables.instances} i WHERE ${joined(conditions, ' AND ')}
    ORDER BY i.created_at DESC, i.instance_id DESC LIMIT ${limit})`;
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
