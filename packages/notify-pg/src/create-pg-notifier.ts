// Makes the notifier from what the user says.
import type { Notifier } from '@romancy/core/ports';
import { PgNotifier } from './pg-notifier.js';
import { resolveOptions, type PgNotifierOptions } from './pg-notifier-options.js';

/**
 * Wake-ups between processes over PostgreSQL's LISTEN/NOTIFY, for a storage on PostgreSQL 13 to 18. Two connections per process, both its own:
 * none of its statements runs in a transaction of yours. Nothing is connected before the app starts.
 *
 * @throws ConfigurationError when an option is missing or out of range.
 */
export function createPgNotifier(options: PgNotifierOptions): Notifier {
  return new PgNotifier(resolveOptions(options));
}
