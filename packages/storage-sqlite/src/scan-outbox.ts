// Finds events of the outbox by what people ask for, without keeping the event loop for longer than a moment.
import { setImmediate as breathe } from 'node:timers/promises';
import type { OutboxFilter, OutboxStatus } from '@romancy/core/ports';
import type { SqliteConnection } from './sqlite-connection.js';
import type { SqliteFile } from './sqlite-file.js';
import type { TableNames } from './table-names.js';

/** After so many milliseconds a scan goes on in the next turn of the event loop. */
const sliceMs = 8;
/** The clock is read once for so many rows. */
const rowsPerLook = 32;

export interface OutboxScan {
  readonly filter: OutboxFilter;
  /** Besides the filter: events of other statuses are not meant. */
  readonly statuses: readonly OutboxStatus[];
  /** Events with greater numbers. */
  readonly after: number;
  readonly limit: number;
}

export interface FoundEvent {
  readonly number: number;
  readonly status: OutboxStatus;
}

interface ScannedRow extends FoundEvent {
  readonly type: string;
  readonly createdAt: number;
}

/** By number. Not of one moment: who changes an event makes sure that it still has that status. */
export async function scanOutbox(file: SqliteFile, scan: OutboxScan): Promise<readonly FoundEvent[]> {
  const { eventIds } = scan.filter;
  if (eventIds !== undefined) return file.snapshot((connection) => byIds(connection, file.tables, { ...scan, eventIds }));
  const statuses = scan.statuses.filter((status) => scan.filter.status?.includes(status) ?? true);
  // What was sent is most of what there is: then the list of all is short on the way. Else each status has its own order.
  const sources = statuses.includes('sent') ? [null] : statuses;
  const lists = await Promise.all(sources.map((source) => scanSource(file, scan, source)));
  return lists
    .flat()
    .sort((a, b) => a.number - b.number)
    .slice(0, scan.limit);
}

function byIds(
  connection: SqliteConnection,
  tables: TableNames,
  scan: OutboxScan & { readonly eventIds: readonly string[] },
): readonly FoundEvent[] {
  const sql = `${columnsOf(tables)} WHERE event_id = ?`;
  const rows = [...new Set(scan.eventIds)].flatMap((eventId) => connection.all<ScannedRow>(sql, eventId));
  return rows
    .filter((row) => row.number > scan.after && matches(row, scan))
    .sort((a, b) => a.number - b.number)
    .slice(0, scan.limit);
}

async function scanSource(file: SqliteFile, scan: OutboxScan, source: OutboxStatus | null): Promise<readonly FoundEvent[]> {
  const found: FoundEvent[] = [];
  let from: number | null = scan.after;
  while (from !== null && found.length < scan.limit) {
    const after: number = from;
    const slice = await file.snapshot((connection) =>
      scanSlice(connection, sqlOf(file.tables, source), {
        ...scan,
        limit: scan.limit - found.length,
        parameters: source === null ? [after] : [source, after],
      }),
    );
    found.push(...slice.found);
    from = slice.next;
    if (from !== null) await breathe();
  }
  return found;
}

function scanSlice(
  connection: SqliteConnection,
  sql: string,
  { parameters, ...scan }: OutboxScan & { readonly parameters: readonly unknown[] },
): {
  readonly found: readonly FoundEvent[];
  /** Where the next slice begins; null: this was the last. */ readonly next: number | null;
} {
  const end = performance.now() + sliceMs;
  const found: FoundEvent[] = [];
  let looked = 0;
  for (const row of connection.iterate<ScannedRow>(sql, ...parameters)) {
    if (matches(row, scan)) found.push(row);
    if (found.length === scan.limit) break;
    if (++looked % rowsPerLook === 0 && performance.now() > end) return { found, next: row.number };
  }
  return { found, next: null };
}

function sqlOf(tables: TableNames, source: OutboxStatus | null): string {
  const condition = source === null ? 'number > ?' : `status = ? AND status <> 'sent' AND number > ?`;
  return `${columnsOf(tables)} WHERE ${condition} ORDER BY number`;
}

function columnsOf({ outbox }: TableNames): string {
  return `SELECT number, status, type, created_at AS createdAt FROM ${outbox}`;
}

function matches(row: ScannedRow, { filter, statuses }: OutboxScan): boolean {
  return (
    statuses.includes(row.status) &&
    (filter.status?.includes(row.status) ?? true) &&
    (filter.type === undefined || row.type === filter.type) &&
    (filter.before === undefined || row.createdAt < filter.before)
  );
}
