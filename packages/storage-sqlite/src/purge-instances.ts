// Removes instances that ended long ago, with their history.
import type { RetentionRequest } from '@romancy/core/ports';
import type { SqliteConnection } from './sqlite-connection.js';
import type { TableNames } from './table-names.js';

export interface Purged {
  readonly count: number;
  /** There may be more to remove. */
  readonly more: boolean;
}

type PurgedStatus = keyof RetentionRequest['instances'];

/** The oldest parts first, since nothing goes before what it was before. */
const statuses: readonly PurgedStatus[] = ['recurred', 'completed', 'failed', 'cancelled'];

interface EndedRow {
  readonly id: number;
  readonly finishedAt: number;
  readonly continuedFrom: string | null;
  readonly historyOf: number;
  readonly historyStart: number;
  readonly historyEnd: number;
}

/** A place in the order of ends. */
interface Place {
  readonly finishedAt: number;
  readonly id: number;
}

const beginning: Place = { finishedAt: Number.MIN_SAFE_INTEGER, id: 0 };

/** Remembers how far it has looked: what must stay would otherwise be looked at again each time. */
export class InstancePurge {
  readonly #tables: TableNames;
  readonly #places = new Map<PurgedStatus, Place>();

  constructor(tables: TableNames) {
    this.#tables = tables;
  }

  purge(connection: SqliteConnection, { instances, limit }: RetentionRequest): Purged {
    const purged = { count: 0, rows: 0 };
    for (const status of statuses) {
      const before = instances[status];
      if (before === null) continue;
      if (this.#purgeStatus(connection, { status, before, limit, purged })) return { count: purged.count, more: true };
    }
    return { count: purged.count, more: false };
  }

  /** @returns whether it came to the limit. */
  #purgeStatus(
    connection: SqliteConnection,
    {
      status,
      before,
      limit,
      purged,
    }: {
      readonly status: PurgedStatus;
      readonly before: number;
      readonly limit: number;
      readonly purged: { count: number; rows: number };
    },
  ): boolean {
    const place = this.#places.get(status) ?? beginning;
    const found = connection.all<EndedRow>(
      `SELECT id, finished_at AS finishedAt, continued_from AS continuedFrom, ifnull(history_of, id) AS historyOf,
          history_start AS historyStart, ifnull(history_end, ${Number.MAX_SAFE_INTEGER}) AS historyEnd
        FROM ${this.#tables.instances}
        WHERE status = ? AND finished_at IS NOT NULL AND finished_at < ? AND (finished_at, id) > (?, ?)
        ORDER BY finished_at, id LIMIT ?`,
      ...[status, before, place.finishedAt, place.id, limit],
    );
    for (const row of found) {
      if (this.#isNeeded(connection, row)) {
        this.#places.set(status, row);
        continue;
      }
      const rows = 1 + this.#countHistory(connection, row, limit);
      if (purged.count > 0 && purged.rows + rows > limit) return true;
      this.#remove(connection, row);
      purged.count++;
      purged.rows += rows;
      if (purged.rows >= limit) return true;
    }
    if (found.length >= limit) return true;
    this.#places.delete(status);
    return false;
  }

  /** As long as history of an earlier part is there, nothing new may begin under the id to which it belongs. */
  #isNeeded(connection: SqliteConnection, { continuedFrom }: EndedRow): boolean {
    const sql = `SELECT 1 FROM ${this.#tables.instances} WHERE instance_id = ?`;
    return continuedFrom !== null && connection.get(sql, continuedFrom) !== undefined;
  }

  /** Up to one more than wanted: then it is known to be too much. */
  #countHistory(connection: SqliteConnection, row: EndedRow, limit: number): number {
    const sql = `SELECT count(*) AS entries FROM
      (SELECT 1 FROM ${this.#tables.history} WHERE id = ? AND seq > ? AND seq <= ? LIMIT ?)`;
    const { historyOf, historyStart, historyEnd } = row;
    return connection.get<{ readonly entries: number }>(sql, historyOf, historyStart, historyEnd, limit + 1)!.entries;
  }

  #remove(connection: SqliteConnection, { id, historyOf, historyStart, historyEnd }: EndedRow): void {
    const { instances, inputs, history } = this.#tables;
    connection.run(`DELETE FROM ${history} WHERE id = ? AND seq > ? AND seq <= ?`, ...[historyOf, historyStart, historyEnd]);
    connection.run(`DELETE FROM ${inputs} WHERE id = ?`, id);
    connection.run(`DELETE FROM ${instances} WHERE id = ?`, id);
  }
}
