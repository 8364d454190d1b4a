// The storage port: what an adapter supplies, as transitions of the engine and not as rows.
import type { ActivityTransactions } from './activity-transaction.js';
import type { Clock } from './clock.js';
import type { InstanceStore } from './instance-store.js';
import type { LeaseStore } from './lease-store.js';
import type { Logger } from './logger.js';
import type { MessageStore } from './message-store.js';
import type { NotesOf } from './notifier.js';
import type { OutboxStore } from './outbox-store.js';
import type { RetentionStore } from './retention-store.js';
import type { RunStore } from './run-store.js';

/** What a storage is given when it is opened. */
export interface StorageContext {
  /** A storage without a clock of its own (SQLite, memory) takes its times from here; PostgreSQL takes the database's. */
  readonly clock: Clock;
  readonly logger: Logger;
  /**
   * Set only for a storage with {@link Storage.sendsNotes}: what of `commit`, `deliver` and `requestCancel` is to be sent within their
   * transactions.
   */
  readonly notesOf?: NotesOf | undefined;
}

/**
 * One instance serves one app from open to close. Each transition is atomic and set-based: no caller composes correctness out of
 * several calls. Times that decide something are compared by the storage's clock; it is told in answers as `now`.
 */
export interface Storage {
  /** `postgres`, `sqlite`, `memory`: which notifiers and which transaction function fit. */
  readonly kind: string;
  /** Whether it can send a notifier's notes within its transactions. Default false: a notifier that asks for that is refused. */
  readonly sendsNotes?: boolean;
  /** For log lines and status: server and schema, or the file, never a password. */
  readonly description: string;
  /** How often a look (`leases.upkeep`) is worth a call, in milliseconds: often where the death of a process shows at once. */
  readonly reapIntervalMs: number;
  readonly leases: LeaseStore;
  readonly runs: RunStore;
  readonly instances: InstanceStore;
  readonly messages: MessageStore;
  readonly outbox: OutboxStore;
  readonly retention: RetentionStore;
  readonly transactions: ActivityTransactions;
  /**
   * Connects, brings the schema up to date (once, also when ten processes start at once), and resolves when everything can be called.
   * @throws SchemaVersionError when the database was made by a version that this one cannot work beside.
   */
  open(context: StorageContext): Promise<void>;
  /** Releases everything it opened itself, not a pool or database that the user brought. May come twice and before open. */
  close(): Promise<void>;
}
