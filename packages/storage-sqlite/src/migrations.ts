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

export const migrations: readonly Migration[] = [
  {
    version: 1,
    oldestCompatible: 1,
    sql: (tables) => [createInstances, createMail, createOutbox, createWorkers].map((create) => create(tables)).join('\n'),
  },
];

/**
 * Instances are known by a number inside of the database: it keeps what belongs to one instance together, new next to new, whatever its
 * id looks like. `wake_at` is null while an instance is owned, so the index of due ones holds exactly those that can be claimed at some
 * time. Indexes that hot statements use hold no finished work, with one exception: those that are owned stand behind those that have ended, the
 * last completed right before them. So an instance that completes leaves the one and enters the other on the same page, as a rule, and each page
 * that a commit changes is written to the log in full.
 *
 * A part that recurred is a row of its own, and its history stays where it is: with the number `history_of`, from `history_start` up to
 * `history_end`. The row is younger than the one of that number, so that SQLite, which takes the highest number and one, cannot give that
 * number to another instance as long as the row is there.
 */
function createInstances({ instances, inputs, history }: TableNames): string {
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
      -- Null: it is long, and apart.
      input TEXT,
      output TEXT,
      error TEXT,
      compensation_failures TEXT,
      parent_id TEXT,
      input_checked INTEGER NOT NULL DEFAULT 1,
      compensating INTEGER NOT NULL DEFAULT 0,
      generation INTEGER NOT NULL DEFAULT 0,
      continued_as TEXT,
      continued_from TEXT,
      -- Numbers up to this one belong to parts before.
      history_start INTEGER NOT NULL DEFAULT 0,
      history_of INTEGER,
      history_end INTEGER
    );
    CREATE INDEX ${instances}_due ON ${instances} (workflow_name, wake_at) WHERE wake_at IS NOT NULL;
    CREATE INDEX ${instances}_owned_or_ended ON ${instances} (owner, status = 'completed', status, finished_at)
      WHERE owner IS NOT NULL OR finished_at IS NOT NULL;
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
    ) WITHOUT ROWID;`;
}

/**
 * A message that came from a queue keeps its place there, and the time when it was queued, as long as it is in a mailbox, so that it can
 * go back. Places and numbers of mail must not come again (AUTOINCREMENT): who asks for what came after one would overlook the next.
 */
function createMail(tables: TableNames): string {
  const { mailbox, subscriptions, channels, queuedMessages, groupMembers, eventStarts, seenEvents } = tables;
  return `
    CREATE TABLE ${mailbox} (
      mail_id INTEGER PRIMARY KEY AUTOINCREMENT,
      id INTEGER NOT NULL,
      topic TEXT NOT NULL,
      message_id TEXT NOT NULL,
      data TEXT NOT NULL,
      queue_place INTEGER,
      queued_at INTEGER
    );
    CREATE INDEX ${mailbox}_of_instance ON ${mailbox} (id);
    CREATE INDEX ${mailbox}_of_topic ON ${mailbox} (id, topic);

    -- Path and value: what is compared, as JSON text; both empty: everything is taken.
    CREATE TABLE ${subscriptions} (
      topic TEXT NOT NULL,
      path TEXT NOT NULL,
      value TEXT NOT NULL,
      id INTEGER NOT NULL,
      seq INTEGER NOT NULL,
      -- Its turn among those that wait for a message of the queue; null: it does not.
      seeking INTEGER,
      PRIMARY KEY (topic, path, value, id)
    ) WITHOUT ROWID;
    CREATE INDEX ${subscriptions}_of_instance ON ${subscriptions} (id, topic);
    CREATE INDEX ${subscriptions}_seeking ON ${subscriptions} (topic, seeking) WHERE seeking IS NOT NULL;

    CREATE TABLE ${channels} (
      topic TEXT PRIMARY KEY,
      mode TEXT NOT NULL,
      used_at INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX ${channels}_used ON ${channels} (used_at);

    CREATE TABLE ${queuedMessages} (
      place INTEGER PRIMARY KEY AUTOINCREMENT,
      topic TEXT NOT NULL,
      message_id TEXT NOT NULL,
      data TEXT NOT NULL,
      queued_at INTEGER NOT NULL
    );
    CREATE INDEX ${queuedMessages}_of_topic ON ${queuedMessages} (topic, place);

    CREATE TABLE ${groupMembers} (
      group_name TEXT NOT NULL,
      instance_id TEXT NOT NULL,
      id INTEGER NOT NULL,
      PRIMARY KEY (group_name, instance_id)
    ) WITHOUT ROWID;
    CREATE INDEX ${groupMembers}_of_instance ON ${groupMembers} (id);

    CREATE TABLE ${eventStarts} (
      topic TEXT NOT NULL,
      workflow_name TEXT NOT NULL,
      PRIMARY KEY (topic, workflow_name)
    ) WITHOUT ROWID;
    CREATE INDEX ${eventStarts}_of_workflow ON ${eventStarts} (workflow_name);

    CREATE TABLE ${seenEvents} (
      source TEXT NOT NULL,
      event_id TEXT NOT NULL,
      seen_at INTEGER NOT NULL,
      PRIMARY KEY (source, event_id)
    ) WITHOUT ROWID;
    CREATE INDEX ${seenEvents}_seen ON ${seenEvents} (seen_at);`;
}

/**
 * `number` is the order in which events were written. `turn_at`: when the event may be claimed, set for the oldest unsent one of its
 * stream if nobody has any of that stream, null for all others; so what waits behind another costs a claim nothing.
 */
function createOutbox({ outbox }: TableNames): string {
  return `
    CREATE TABLE ${outbox} (
      number INTEGER PRIMARY KEY AUTOINCREMENT,
      event_id TEXT NOT NULL UNIQUE,
      stream TEXT NOT NULL,
      type TEXT NOT NULL,
      source TEXT NOT NULL,
      data TEXT NOT NULL,
      status TEXT NOT NULL,
      attempts INTEGER NOT NULL DEFAULT 0,
      failed_since INTEGER,
      error TEXT,
      owner TEXT,
      due_at INTEGER NOT NULL,
      turn_at INTEGER,
      created_at INTEGER NOT NULL,
      ended_at INTEGER
    );
    CREATE INDEX ${outbox}_turn ON ${outbox} (turn_at, number) WHERE turn_at IS NOT NULL;
    CREATE INDEX ${outbox}_turn_of_stream ON ${outbox} (stream) WHERE turn_at IS NOT NULL;
    CREATE INDEX ${outbox}_unsent ON ${outbox} (stream, number) WHERE ended_at IS NULL;
    CREATE INDEX ${outbox}_owned ON ${outbox} (owner) WHERE owner IS NOT NULL;
    CREATE INDEX ${outbox}_held ON ${outbox} (stream) WHERE owner IS NOT NULL;
    CREATE INDEX ${outbox}_by_status ON ${outbox} (status, number) WHERE status <> 'sent';
    CREATE INDEX ${outbox}_sent ON ${outbox} (ended_at) WHERE status = 'sent';`;
}

function createWorkers({ workers }: TableNames): string {
  return `
    CREATE TABLE ${workers} (
      worker_id TEXT PRIMARY KEY,
      service_name TEXT NOT NULL,
      workflow_names TEXT NOT NULL,
      is_relayer INTEGER NOT NULL,
      host TEXT NOT NULL,
      pid INTEGER NOT NULL,
      process_start TEXT,
      registered_at INTEGER NOT NULL,
      lease_ends_at INTEGER NOT NULL
    ) WITHOUT ROWID;`;
}
