// Writes what became known about instances: entries, subscriptions, taken mail.
import { InvalidArgumentError, type NewHistoryEntry, type ProgressBatch } from '@romancy/core/ports';
import type { SqliteConnection } from './sqlite-connection.js';
import type { TableNames } from './table-names.js';

/** An instance's row, as far as a commit has to know it. */
export interface InstanceRow {
  readonly id: number;
  readonly owner: string | null;
  readonly startToken: string;
  /** The number of its latest claim, 0 before the first; an owned start counts. */
  readonly claims: number;
}

/** Finds rows of instances, each once. */
export class InstanceLookup {
  readonly #connection: SqliteConnection;
  readonly #sql: string;
  readonly #found = new Map<string, InstanceRow | undefined>();

  constructor(connection: SqliteConnection, tables: TableNames) {
    this.#connection = connection;
    this.#sql = `SELECT id, owner, start_token AS startToken, claims FROM ${tables.instances} WHERE instance_id = ?`;
  }

  find(instanceId: string): InstanceRow | undefined {
    if (!this.#found.has(instanceId)) this.#found.set(instanceId, this.#connection.get<InstanceRow>(this.#sql, instanceId));
    return this.#found.get(instanceId);
  }

  /** @throws InvalidArgumentError when there is no such instance. */
  get(instanceId: string): InstanceRow {
    const row = this.find(instanceId);
    if (row === undefined) {
      throw new InvalidArgumentError(`there is no instance ${JSON.stringify(instanceId)} to which this could belong`, {
        argument: 'instanceId',
      });
    }
    return row;
  }

  /** Remembers a row that was just written. */
  add(instanceId: string, row: InstanceRow): void {
    this.#found.set(instanceId, row);
  }
}

export interface ProgressRecorder {
  /** @returns false when an entry of that number is there already; that one stays. */
  entry(entry: NewHistoryEntry): boolean;
  /** Only while the worker owns the instance: a repeated batch must leave none with an instance that has ended in the meantime. */
  subscription(subscription: ProgressBatch['subscriptions'][number], workerId: string): void;
  takenMail(taken: ProgressBatch['takenMail'][number]): void;
}

/** Writes through a connection on which a transaction is open. `now` is when all of it is recorded. */
export function createRecorder(
  connection: SqliteConnection,
  { tables, lookup, now }: { readonly tables: TableNames; readonly lookup: InstanceLookup; readonly now: number },
): ProgressRecorder {
  const insertEntry = `INSERT INTO ${tables.history} (id, seq, kind, call_id, position, data, due_at, recorded_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id, seq) DO NOTHING`;
  const insertSubscription = `INSERT INTO ${tables.subscriptions} (channel, id) VALUES (?, ?) ON CONFLICT (channel, id) DO NOTHING`;
  const deleteMail = `DELETE FROM ${tables.mailbox} WHERE mail_id = ? AND id = ?`;
  return {
    entry({ instanceId, seq, kind, callId, position, data, dueAt }) {
      const { id } = lookup.get(instanceId);
      return connection.run(insertEntry, id, seq, kind, callId, position, data, dueAt, now).changes === 1;
    },
    subscription({ instanceId, channel }, workerId) {
      const { id, owner } = lookup.get(instanceId);
      if (owner === workerId) connection.run(insertSubscription, channel, id);
    },
    takenMail({ instanceId, mailId }) {
      const row = lookup.find(instanceId);
      if (row !== undefined) connection.run(deleteMail, Number(mailId), row.id);
    },
  };
}
