// Watches how full the server's queue of notes is: one process of a database asks, all take care when it fills.
import type { Clock, Logger } from '@romancy/core/ports';
import type { AdvisoryKey } from './advisory-key.js';
import { classIdOf } from './advisory-key.js';
import { queueUsageStatement, type QueueQuestion } from './flush-statement.js';
import type { OpenSession } from './open-session.js';
import type { PgNotice } from './pg-client.js';

/** The longest time between two questions. Nothing is sent for them alone: they go along with the next nonce, or whatever is sent. */
const longestIntervalMs = 30_000;
/** After so much was sent it is asked as well, in characters: an eighth of the smallest queue that a server can be given. */
const mostUnasked = 65_536;
/** From here on somebody should look why. */
const warnAbove = 0.25;
/** From here on nothing more is put into it: the rest belongs to the other programs, whose commits fail when it is full. */
const pauseFrom = 0.5;
/** So often it is said at the most. */
const sayMs = 60_000;
/** The server's code for a queue that is full. */
const queueFull = '54000';

/**
 * Who most probably holds the queue. The server tells nobody who listens; what shows is a session that cannot get rid of what it wrote, then one
 * that sits in a transaction, since a listener reads no notes before its end.
 */
const suspectStatement = {
  text:
    `SELECT pid, coalesce(application_name, ''), coalesce(state, ''), coalesce(wait_event, '') FROM pg_stat_activity ` +
    `WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend' ` +
    `AND (wait_event = 'ClientWrite' OR state LIKE 'idle in transaction%' OR query ILIKE 'listen%') ` +
    `ORDER BY wait_event IS NOT DISTINCT FROM 'ClientWrite' DESC, state LIKE 'idle in transaction%' DESC, state_change LIMIT 1`,
  values: [],
};

export interface QueueWatchParts {
  readonly clock: Clock;
  readonly logger: Logger;
  /** How often a nonce is sent when nothing else is: every second one takes the question along. */
  readonly pingIntervalMs: number;
  /** Nothing but nonces may be sent from here on. */
  readonly onPause?: () => void;
  /** Sending goes on after a pause. */
  readonly onResume: () => void;
}

export class QueueWatch {
  /** One process of a database holds it: for all prefixes, as there is one queue. */
  readonly electionKey: AdvisoryKey = { classId: classIdOf('romancy queue watch'), objectId: 0 };
  readonly #parts: QueueWatchParts;
  #usage: number | null = null;
  #elected = false;
  #asked: QueueQuestion = 'nothing';
  #askedAt = Number.NEGATIVE_INFINITY;
  #unasked = 0;
  #suspected = false;
  #saidAt = Number.NEGATIVE_INFINITY;
  /** What the server has said by itself since the last question. */
  #told = 0;
  /** What was said last is that nothing is sent. */
  #saidPaused = false;
  /** Named by the server itself, which says so to one session at more than half. */
  #blamed: number | null = null;

  constructor(parts: QueueWatchParts) {
    this.#parts = parts;
  }

  /** From 0 to 1; null: this process was not the one to ask. */
  get usage(): number | null {
    return this.#usage;
  }

  /** Whether nothing but nonces may be sent. */
  get paused(): boolean {
    return this.#usage !== null && this.#usage >= pauseFrom;
  }

  /** So many characters are about to be sent. */
  sending(characters: number): void {
    this.#unasked += characters;
  }

  /** What to ask along with the next nonce. @param canBeElected a lock would not stay behind in a session of others. */
  question(canBeElected: boolean): QueueQuestion {
    const now = this.#parts.clock.monotonic();
    // A little early is in time: what is sent next may be late.
    const dueAfterMs = Math.min(longestIntervalMs, 2 * this.#parts.pingIntervalMs) * 0.95;
    if (this.paused || this.#suspected || this.#unasked >= mostUnasked) this.#asked = 'usage';
    else if (now - this.#askedAt < dueAfterMs) this.#asked = 'nothing';
    else this.#asked = this.#elected || !canBeElected ? 'usage' : 'usage-if-elected';
    this.#told = 0;
    if (this.#asked !== 'nothing') {
      this.#askedAt = now;
      this.#unasked = 0;
    }
    return this.#asked;
  }

  /** @param usage as the server wrote it; null: another process is elected. */
  answered(usage: string | null, open: OpenSession): void {
    this.#suspected = false;
    if (usage === null) {
      // Another process watches; what this one was told meanwhile it looks after by itself.
      if (this.#told === 0) this.#usage = null;
      return;
    }
    if (this.#asked === 'usage-if-elected') this.#elected = true;
    // What the same transaction was told at its commit is the younger word: its answer is from before its own notes.
    this.#set(Math.max(Number(usage), this.#told));
    if (this.#usage! > warnAbove) void this.#say(open);
  }

  /** A batch was refused. When the queue is full, asking for its usage is also what lets it heal. Never rejects. */
  async refused(error: unknown, open: OpenSession): Promise<void> {
    if ((error as { readonly code?: unknown }).code !== queueFull) return;
    this.#set(1);
    try {
      const [row] = await open.session.query(queueUsageStatement);
      this.#set(Number(row?.[0]));
      await this.#say(open);
    } catch {
      // Asked again with the next nonce.
    }
  }

  /** Another process says that it is more than half full: heard from anybody, so it is not believed but looked at. */
  suspect(): void {
    this.#suspected = true;
  }

  /**
   * The server says to the session whose note made it so that the queue is half full or more, once in five seconds: long before it is asked,
   * and in time also where the queue is small. Nothing but nonces follows.
   */
  onNotice({ message, detail }: PgNotice): void {
    const pid = /\bPID (\d+)/.exec(detail ?? '')?.[1];
    if (pid !== undefined) this.#blamed = Number(pid);
    const percent = /\b(\d{2,3}) ?%/.exec(message ?? '')?.[1];
    if (percent === undefined) return;
    this.#told = Number(percent) / 100;
    this.#set(this.#told);
  }

  sessionLost(): void {
    this.#elected = false;
    this.#askedAt = Number.NEGATIVE_INFINITY;
  }

  #set(usage: number): void {
    const wasPaused = this.paused;
    this.#usage = usage;
    if (!wasPaused && this.paused) this.#parts.onPause?.();
    if (wasPaused && !this.paused) {
      this.#blamed = null;
      this.#parts.logger.info('LISTEN/NOTIFY queue has room again, sending', { queue_usage: usage });
      this.#parts.onResume();
    }
  }

  async #say({ session }: OpenSession): Promise<void> {
    const now = this.#parts.clock.monotonic();
    // Worse than what was said last is said at once.
    if (now - this.#saidAt < sayMs && this.#saidPaused === this.paused) return;
    this.#saidAt = now;
    this.#saidPaused = this.paused;
    let suspect: Readonly<Record<string, unknown>> = {};
    try {
      const [row] = await session.query(suspectStatement);
      if (row !== undefined)
        suspect = { suspect_pid: Number(row[0]), application_name: row[1], state: row[2], wait_event: row[3] };
    } catch {
      // Told without it.
    }
    this.#parts.logger.warn(
      this.paused
        ? 'LISTEN/NOTIFY queue is more than half full, sending nothing; end the session that holds it with pg_terminate_backend'
        : 'LISTEN/NOTIFY queue is filling; a session that listens does not read',
      { queue_usage: this.#usage, ...(this.#blamed === null ? {} : { blocking_pid: this.#blamed }), ...suspect },
    );
  }
}
