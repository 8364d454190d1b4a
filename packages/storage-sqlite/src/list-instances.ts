// Lists instances, page by page, without keeping the event loop for longer than a moment.
import { setImmediate as breathe } from 'node:timers/promises';
import type { InstanceRecord, InstanceStatus, ListRequest } from '@romancy/core/ports';
import { recordColumns, toRecord, type RecordRow } from './instance-record.js';
import { inputOf } from './input-place.js';
import { createListFilter, type ListFilter } from './list-filter.js';
import type { SqliteConnection } from './sqlite-connection.js';
import type { SqliteFile } from './sqlite-file.js';
import type { TableNames } from './table-names.js';

/** After so many milliseconds a scan goes on in the next turn of the event loop. */
const sliceMs = 8;
/** The clock is read once for so many rows. */
const rowsPerLook = 32;

/** The place of an instance in the order of the list. */
interface Key {
  readonly createdAt: number;
  readonly instanceId: string;
}

/** Which rows a scan goes through, newest first; null: all. */
type Source = InstanceStatus | null;

interface ScannedRow extends Key {
  readonly id: number;
  readonly status: InstanceStatus;
  readonly workflowName: string;
  /** Only read when the input is looked at. */
  readonly input?: string;
}

interface Scan {
  readonly tables: TableNames;
  readonly source: Source;
  readonly startedAfter: number;
  readonly filter: ListFilter;
}

interface Slice {
  readonly records: readonly InstanceRecord[];
  /** Where the next slice begins; null: this was the last. */
  readonly next: Key | null;
}

/**
 * The driver is synchronous, and what is looked for by a part of a name can be anywhere among a million rows: so the list is scanned in
 * slices by its own order, newest first, and others have their turn in between. A page is not of one moment, but its order cannot change
 * under the scan: neither the time of creation nor the id ever does.
 */
export async function listInstances(file: SqliteFile, request: ListRequest): Promise<readonly InstanceRecord[]> {
  const { status, limit } = request;
  // What has completed is most of what there is: then the list of all is short on the way. Else each status has its own order.
  const sources = status === undefined || status.includes('completed') ? [null] : [...new Set(status)];
  const lists = await Promise.all(sources.map((source) => scanAll(file, request, source)));
  return lists.length === 1 ? lists[0]! : lists.flat().sort(newestFirst).slice(0, limit);
}

async function scanAll(file: SqliteFile, request: ListRequest, source: Source): Promise<readonly InstanceRecord[]> {
  const { tables } = file;
  const startedAfter = request.startedAfter ?? Number.MIN_SAFE_INTEGER;
  const scan: Scan = { tables, source, startedAfter, filter: createListFilter(request) };
  const records: InstanceRecord[] = [];
  let from: Key | null = newestPossible(request);
  while (from !== null && records.length < request.limit) {
    const place: Key = from;
    const slice = await file.snapshot((connection) =>
      scanSlice(connection, scan, { from: place, limit: request.limit - records.length }),
    );
    records.push(...slice.records);
    from = slice.next;
    if (from !== null) await breathe();
  }
  return records;
}

function scanSlice(
  connection: SqliteConnection,
  { tables, source, startedAfter, filter }: Scan,
  { from, limit }: { readonly from: Key; readonly limit: number },
): Slice {
  const end = performance.now() + sliceMs;
  const found: number[] = [];
  let next: Key | null = null;
  let looked = 0;
  const parameters = [
    ...(source === null || source === 'running' ? [] : [source]),
    startedAfter,
    from.createdAt,
    from.instanceId,
  ];
  for (const row of connection.iterate<ScannedRow>(scanSql(tables, source, filter.needsInput), ...parameters)) {
    if (filter.matches(row)) found.push(row.id);
    if (found.length === limit) break;
    if (++looked % rowsPerLook === 0 && performance.now() > end) {
      next = { createdAt: row.createdAt, instanceId: row.instanceId };
      break;
    }
  }
  const sql = `${recordColumns(tables)} WHERE i.id = ?`;
  return { records: found.map((id) => toRecord(connection.get<RecordRow>(sql, id)!)), next };
}

/** Light rows; whole ones are read only of what is on the page. Each source has an index that holds it in this order, or is small. */
function scanSql(tables: TableNames, source: Source, needsInput: boolean): string {
  const { instances } = tables;
  const columns = 'i.id, i.created_at AS createdAt, i.instance_id AS instanceId, i.status, i.workflow_name AS workflowName';
  const input = needsInput ? `, ${inputOf(tables, 'i')} AS input` : '';
  const [index, condition] =
    source === null
      ? ['newest', 'TRUE']
      : source === 'running'
        ? ['owned_or_ended', `i.owner > ''`]
        : ['by_status', `i.status = ? AND i.status <> 'running' AND i.status <> 'completed'`];
  return `SELECT ${columns}${input} FROM ${instances} i INDEXED BY ${instances}_${index}
    WHERE ${condition} AND i.created_at >= ? AND (i.created_at, i.instance_id) < (?, ?)
    ORDER BY i.created_at DESC, i.instance_id DESC`;
}

/** The place before which the list begins: that of the cursor, or of the end of the range of dates, whichever comes later in the list. */
function newestPossible({ after, startedBefore }: ListRequest): Key {
  // No id sorts before the empty one: so this is before all that was created at that time or later.
  const end: Key = { createdAt: startedBefore ?? Number.MAX_SAFE_INTEGER, instanceId: '' };
  return after === undefined || newestFirst(end, after) > 0 ? end : after;
}

/** By the bytes of ids, as SQLite compares them. */
function newestFirst(a: Key, b: Key): number {
  return b.createdAt - a.createdAt || Buffer.compare(Buffer.from(b.instanceId), Buffer.from(a.instanceId));
}
