// The names of Romancy's tables in a database, which may hold the tables of others too.
import { ConfigurationError } from '@romancy/core/ports';

/** Made of letters, digits and underscores alone, so that none has to be quoted. */
export interface TableNames {
  readonly instances: string;
  /** Long inputs of instances, apart from them: see input-place.ts. */
  readonly inputs: string;
  readonly history: string;
  readonly mailbox: string;
  readonly subscriptions: string;
  /** The modes of topics of channels. */
  readonly channels: string;
  readonly queuedMessages: string;
  readonly groupMembers: string;
  /** Which workflows start on which topics. */
  readonly eventStarts: string;
  readonly seenEvents: string;
  readonly outbox: string;
  readonly workers: string;
  readonly migrations: string;
}

/** @throws ConfigurationError for a prefix that would have to be quoted, or that SQLite keeps for itself. */
export function tableNames(prefix: string): TableNames {
  if (!/^[a-z_][a-z0-9_]{0,39}$/i.test(prefix) || /^sqlite_/i.test(prefix)) {
    throw new ConfigurationError(
      `tablePrefix is ${JSON.stringify(prefix)}; it takes 1 to 40 letters (a to z), digits and underscores, not beginning with a digit or with sqlite_`,
      { option: 'tablePrefix' },
    );
  }
  return {
    instances: `${prefix}instances`,
    inputs: `${prefix}inputs`,
    history: `${prefix}history`,
    mailbox: `${prefix}mailbox`,
    subscriptions: `${prefix}subscriptions`,
    channels: `${prefix}channels`,
    queuedMessages: `${prefix}queued_messages`,
    groupMembers: `${prefix}group_members`,
    eventStarts: `${prefix}event_starts`,
    seenEvents: `${prefix}seen_events`,
    outbox: `${prefix}outbox`,
    workers: `${prefix}workers`,
    migrations: `${prefix}migrations`,
  };
}
