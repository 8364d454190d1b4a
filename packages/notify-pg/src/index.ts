// What a user of Romancy's notifier on PostgreSQL imports.
export { createPgNotifier } from './create-pg-notifier.js';
export type { PgClient, PgNotice, PgNotification, PgQuery, PgResult, PgStream, SessionRole } from './pg-client.js';
export type { NotifierDuration, PgNotifierOptions } from './pg-notifier-options.js';
