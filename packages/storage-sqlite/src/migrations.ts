// The schema, as the steps that lead to it.
import type { TableNames } from './table-names.js';

/** One step of the schema. What was released is never changed; a new step is added. */
export interface Migration {
  /** From 1, without gaps. */
  readonly version: number;
  /**
   * The oldest version whose code can go on with the schema as this step leaves it. A step with which older code cannot live also removes
   * all workers and hands back what they own: so older processes, which run at that moment, can write nothing from then on.
   */
  readonly oldestCompatible: number;
  readonly sql: (tables: TableNames) => string;
}

export const migrations: readonly Migration[] = [{ version: 1, oldestCompatible: 1, sql: createTables }];

/**
 * Instances are known by a number inside of the database: it keeps what belongs to one instance together, new next to new, whatever its
 * id looks like. `wake_at` is null while an instance is owned, so the index of due ones holds exactly those that can be claimed at some
 * time. Indexes that hot statements use hold no finished work.
 */
function createTables(tables: TableNames): string {
  const { instances, inputs, history, mailbox, subscriptions, seenEvents, workers } = tables;
  return `
    CREATE TABLE ${instances} (
      id INTEGER PRIMARY KEY,
      instance_id TEXT NOT NULL UNIQUE,
      workflow_name TEXT NOT NULL,
      status TEXT NOT NULL,
      owner TEXT,
      wake_at INTEGER,
      attention INTEGER NOT NULL DEFAULT 0,
      claims INTEGER NOT NULL,
      start_token TEXT NOT NULL,
      cancel_requested_at INTEGER,
      cancel_reason TEXT,
      created_at INTEGER NOT NULL,
      finished_at INTEGER,
      output TEXT,
      error TEXT
    );
    CREATE INDEX ${instances}_due ON ${instances} (workflow_name, wake_at) WHERE wake_at IS NOT NULL;
    CREATE INDEX ${instances}_owned ON ${instances} (owner) WHERE owner IS NOT NULL;
    CREATE INDEX ${instances}_attention ON ${instances} (owner) WHERE owner IS NOT NULL AND attention = 1;
    CREATE INDEX ${instances}_newest ON ${instances} (created_at, instance_id);
    CREATE INDEX ${instances}_by_status ON ${instances} (status, created_at, instance_id)
      WHERE status <> 'running' AND status <> 'completed';

    CREATE TABLE ${inputs} (
      id INTEGER PRIMARY KEY,
      input TEXT NOT NULL
    );

    CREATE TABLE ${history} (
      id INTEGER NOT NULL,
      seq INTEGER NOT NULL,
      kind TEXT NOT NULL,
      call_id TEXT NOT NULL,
      position INTEGER NOT NULL,
      data TEXT,
      due_at INTEGER,
      recorded_at INTEGER NOT NULL,
      PRIMARY KEY (id, seq)
    ) WITHOUT ROWID;

    -- AUTOINCREMENT: a number must not come again, or who asks for what came after it would overlook the next one.
    CREATE TABLE ${mailbox} (
      mail_id INTEGER PRIMARY KEY AUTOINCREMENT,
      id INTEGER NOT NULL,
      channel TEXT NOT NULL,
      data TEXT NOT NULL
    );
    CREATE INDEX ${mailbox}_of_instance ON ${mailbox} (id);
    CREATE INDEX ${mailbox}_of_channel ON ${mailbox} (id, channel);

    CREATE TABLE ${subscriptions} (
      channel TEXT NOT NULL,
      id INTEGER NOT NULL,
      PRIMARY KEY (channel, id)
    ) WITHOUT ROWID;
    CREATE INDEX ${subscriptions}_of_instance ON ${subscriptions} (id);

    CREATE TABLE ${seenEvents} (
      source TEXT NOT NULL,
      event_id TEXT NOT NULL,
      seen_at INTEGER NOT NULL,
      PRIMARY KEY (source, event_id)
    ) WITHOUT ROWID;

    CREATE TABLE ${workers} (
      worker_id TEXT PRIMARY KEY,
      service_name TEXT NOT NULL,
      workflow_names TEXT NOT NULL,
      host TEXT NOT NULL,
      pid INTEGER NOT NULL,
      process_start TEXT,
      registered_at INTEGER NOT NULL,
      lease_ends_at INTEGER NOT NULL
    ) WITHOUT ROWID;
  `;
}
