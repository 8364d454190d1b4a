// What a user says about the notifier, checked, with its defaults.
import { checkKnownOptions, ConfigurationError, namesOf } from '@romancy/core/ports';
import { channelNames, type ChannelNames } from './channel-names.js';
import type { PgClient, SessionRole } from './pg-client.js';

/** `'500ms'`, `'15s'`, `'1m'`, `'1h'`, or a number of milliseconds. */
export type NotifierDuration = number | `${number}${'ms' | 's' | 'm' | 'h'}`;

interface CommonOptions {
  /** The longest pause between two attempts to connect; pauses begin at 100 ms and double. 10 ms to 1 h; default `60s`. */
  readonly reconnectDelay?: NotifierDuration;
  /** What the names of all channels begin with. Installs with different prefixes in one database wake each other never. Default `romancy`. */
  readonly channelPrefix?: string;
  /**
   * How long wake-ups are gathered after some were sent; the first one after quiet goes at once. 5 ms to 1 s; default 5 ms, which is at most
   * 200 transactions a second, whatever happens. While much is told, a window more with each eight wake-ups of the last batch, up to ten
   * windows and 100 ms: 20 transactions a second by default.
   */
  readonly coalesceWindow?: NotifierDuration;
  /** After so long without a proof that notes arrive, one is asked for. 1 s to 10 min; default `15s`. */
  readonly pingInterval?: NotifierDuration;
  /** So long a proof, and any statement, may take before its session counts as dead. 100 ms to 1 min; default `3s`. */
  readonly pingTimeout?: NotifierDuration;
  /** So long an attempt to connect may take. 100 ms to 10 min; default `5s`. */
  readonly connectTimeout?: NotifierDuration;
  /**
   * Who sends the notes of a change. `after-commit`: a session of the notifier, right after; no commit has anything to do with it.
   * `transactional`: the storage, by `pg_notify` within the transaction that makes the change, so that a process which dies in between has
   * told all the same. It is dear: PostgreSQL lets only one transaction of the whole server commit at a time when it sends notes, so that many
   * writers fall to about what one of them would have, each change takes four round trips instead of one, and a full queue of notes holds
   * up commits. Without it the next poll finds what a dead process
   * could not tell. Default `after-commit`.
   */
  readonly delivery?: 'after-commit' | 'transactional';
  /** Shown in `pg_stat_activity`, with `:listening` or `:sending` behind it. At most 53 bytes; default `romancy-notify`. */
  readonly applicationName?: string;
}

/** Where the database is: a connection string, or a function that connects. */
export type PgNotifierOptions = CommonOptions &
  (
    | {
        /** As `pg` takes it: `postgres://user:password@host:5432/database?sslmode=…`. Must lead to the server itself, or to a session pooler. */
        readonly connectionString: string;
        readonly connect?: undefined;
      }
    | {
        /**
         * Connects and answers with a client that nobody else has; for passwords that change, certificates, tunnels. Called for each attempt.
         * The client is the notifier's from then on. `signal` aborts when nobody waits for it any more.
         */
        readonly connect: (session: { readonly role: SessionRole; readonly signal: AbortSignal }) => Promise<PgClient>;
        readonly connectionString?: undefined;
      }
  );

export interface ResolvedOptions {
  readonly connectionString: string | undefined;
  readonly connect: PgNotifierOptions['connect'];
  readonly channels: ChannelNames;
  readonly channelPrefix: string;
  readonly reconnectDelayMs: number;
  readonly coalesceWindowMs: number;
  readonly pingIntervalMs: number;
  readonly pingTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly applicationName: string;
  readonly isTransactional: boolean;
}

const optionNames = namesOf<PgNotifierOptions>({
  connectionString: true,
  connect: true,
  reconnectDelay: true,
  channelPrefix: true,
  coalesceWindow: true,
  pingInterval: true,
  pingTimeout: true,
  connectTimeout: true,
  applicationName: true,
  delivery: true,
});

/** What `:listening` leaves of a name in PostgreSQL. */
const longestApplicationName = 53;
const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** @throws ConfigurationError naming the option and what it takes. */
export function resolveOptions(options: PgNotifierOptions): ResolvedOptions {
  checkKnownOptions(options, optionNames, '');
  const { connectionString, connect } = options;
  // Never shown in an error: it may hold a password.
  if ((connectionString === undefined) === (connect === undefined)) {
    const given = connect === undefined ? 'neither of the two is there' : 'both are there';
    throw new ConfigurationError(`createPgNotifier takes either connectionString or connect; ${given}`, {
      option: 'connectionString',
    });
  }
  if (connectionString !== undefined && (typeof connectionString !== 'string' || connectionString === '')) {
    throw new ConfigurationError(
      'createPgNotifier: connectionString takes a string such as postgres://user:password@host:5432/database',
      { option: 'connectionString' },
    );
  }
  if (connect !== undefined && typeof connect !== 'function') {
    throw wrong('connect', typeof connect, 'a function that answers with a connected client of pg');
  }
  const applicationName = options.applicationName ?? 'romancy-notify';
  if (typeof applicationName !== 'string' || Buffer.byteLength(applicationName) > longestApplicationName) {
    throw wrong('applicationName', applicationName, `a text of at most ${longestApplicationName} bytes`);
  }
  const { delivery = 'after-commit' } = options;
  if (delivery !== 'after-commit' && delivery !== 'transactional') {
    throw wrong('delivery', delivery, `'after-commit' or 'transactional'`);
  }
  const channelPrefix = options.channelPrefix ?? 'romancy';
  return {
    connectionString,
    connect,
    channels: channelNames(channelPrefix),
    channelPrefix,
    applicationName,
    isTransactional: delivery === 'transactional',
    reconnectDelayMs: within('reconnectDelay', options.reconnectDelay ?? '60s', [10, 3_600_000]),
    coalesceWindowMs: within('coalesceWindow', options.coalesceWindow ?? 5, [5, 1000]),
    pingIntervalMs: within('pingInterval', options.pingInterval ?? '15s', [1000, 600_000]),
    pingTimeoutMs: within('pingTimeout', options.pingTimeout ?? '3s', [100, 60_000]),
    connectTimeoutMs: within('connectTimeout', options.connectTimeout ?? '5s', [100, 600_000]),
  };
}

function within(option: string, value: NotifierDuration, [least, most]: readonly [number, number]): number {
  const given: unknown = value;
  const parts = typeof given === 'string' ? /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(given) : null;
  const ms = typeof given === 'number' ? given : parts === null ? Number.NaN : Number(parts[1]) * unitMs[parts[2]!]!;
  if (!(ms >= least && ms <= most)) {
    throw wrong(option, given, `${least} to ${most} milliseconds, as a number or a string such as '500ms', '15s', '1m'`);
  }
  return Math.ceil(ms);
}

function wrong(option: string, value: unknown, allowed: string): ConfigurationError {
  return new ConfigurationError(`createPgNotifier: ${option} is ${JSON.stringify(value)}; it takes ${allowed}`, { option });
}
