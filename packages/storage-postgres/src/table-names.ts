// The names of the tables, each with its schema before it: behind a transaction pooler no session keeps a search_path.
import { identifier, raw, type Sql } from './sql.js';

export interface TableNames {
  /** The schema's own name, as it was given. */
  readonly schema: string;
  readonly instances: Sql;
  readonly history: Sql;
  readonly workers: Sql;
  readonly mailbox: Sql;
  readonly subscriptions: Sql;
  readonly channels: Sql;
  readonly queuedMessages: Sql;
  readonly groupMembers: Sql;
  readonly eventStarts: Sql;
  readonly seenEvents: Sql;
  readonly outbox: Sql;
  readonly migrations: Sql;
}

export function tableNames(schema: string): TableNames {
  const table = (name: string): Sql => raw(`${identifier(schema)}.${identifier(name)}`);
  return {
    schema,
    instances: table('instances'),
    history: table('history'),
    workers: table('workers'),
    mailbox: table('mailbox'),
    subscriptions: table('subscriptions'),
    channels: table('channels'),
    queuedMessages: table('queued_messages'),
    groupMembers: table('group_members'),
    eventStarts: table('event_starts'),
    seenEvents: table('seen_events'),
    outbox: table('outbox'),
    migrations: table('migrations'),
  };
}
