// What a user says about the storage, checked, with its defaults.
import { checkKnownOptions, ConfigurationError, namesOf } from '@romancy/core/ports';
import type { PostgresPool } from './postgres-pool.js';

interface CommonOptions {
  /**
   * The schema that holds Romancy's tables; made when it is not there. Apps with different schemas know nothing of each other.
   * Default `romancy`.
   */
  readonly schema?: string;
  /**
   * Whether `open` may create and change tables. Default true. False: it only checks that they are there, for roles that may not
   * create any; let somebody who may open the storage once before.
   */
  readonly migrate?: boolean;
  /**
   * Milliseconds after which an unanswered statement counts as lost, with its connection, so that a network that swallows packets
   * does not stop a worker. 1,000 to 600,000; default 30,000. Statements of users in their activities' transactions have no such limit.
   */
  readonly statementTimeout?: number;
}

/** Where the database is: a connection string, from which a pool of its own is made, or a pool of the user. */
export type PostgresStorageOptions = CommonOptions &
  (
    | {
        /** As `pg` takes it: `postgres://user:password@host:5432/database?sslmode=…`. */
        readonly connectionString: string;
        /** Connections of the pool at most. 3 or more; default 10. Two are never given to transactions of activities. */
        readonly maxConnections?: number;
        /** Shown in `pg_stat_activity`. Default `romancy`. */
        readonly applicationName?: string;
        readonly pool?: undefined;
      }
    | {
        /**
         * A `Pool` of `pg`, or anything of its shape. It stays open when the storage is closed. Of its connections (`options.max`,
         * 10 when that cannot be seen) two are never given to transactions of activities.
         */
        readonly pool: PostgresPool;
        readonly connectionString?: undefined;
        readonly maxConnections?: undefined;
        readonly applicationName?: undefined;
      }
  );

export interface ResolvedOptions {
  readonly connectionString: string | undefined;
  readonly pool: PostgresPool | undefined;
  readonly schema: string;
  readonly migrate: boolean;
  readonly statementTimeout: number;
  readonly maxConnections: number;
  readonly applicationName: string;
}

/** How many connections `pg` gives a pool that is told nothing. */
const usualPoolSize = 10;

const optionNames = namesOf<PostgresStorageOptions>({
  connectionString: true,
  pool: true,
  schema: true,
  migrate: true,
  statementTimeout: true,
  maxConnections: true,
  applicationName: true,
});

/** @throws ConfigurationError naming the option and what it takes. */
export function resolveOptions(options: PostgresStorageOptions): ResolvedOptions {
  checkKnownOptions(options, optionNames, '');
  const { connectionString, pool } = options;
  // Never shown in an error: it may hold a password.
  if ((connectionString === undefined) === (pool === undefined)) {
    const given = pool === undefined ? 'neither of the two is there' : 'both are there';
    throw new ConfigurationError(`createPostgresStorage takes either connectionString or pool; ${given}`, {
      option: 'connectionString',
    });
  }
  if (connectionString !== undefined && (typeof connectionString !== 'string' || connectionString === '')) {
    throw new ConfigurationError(
      'createPostgresStorage: connectionString takes a string such as postgres://user:password@host:5432/database',
      { option: 'connectionString' },
    );
  }
  if (pool !== undefined && (typeof pool.connect !== 'function' || typeof pool.on !== 'function')) {
    throw wrong('pool', typeof pool, 'a Pool of pg or an object of its shape');
  }
  const schema = options.schema ?? 'romancy';
  if (typeof schema !== 'string' || schema === '' || Buffer.byteLength(schema) > 63 || /\0|^pg_/.test(schema)) {
    throw wrong('schema', schema, 'a name of 1 to 63 bytes that does not begin with pg_');
  }
  const maxConnections = pool === undefined ? (options.maxConnections ?? usualPoolSize) : (pool.options?.max ?? usualPoolSize);
  if (pool === undefined && (!Number.isSafeInteger(maxConnections) || maxConnections < 3)) {
    throw wrong('maxConnections', maxConnections, 'a whole number from 3');
  }
  for (const option of ['maxConnections', 'applicationName'] as const) {
    if (pool !== undefined && options[option] !== undefined)
      throw wrong(option, options[option], 'effect with connectionString only');
  }
  const migrate = options.migrate ?? true;
  if (typeof migrate !== 'boolean') throw wrong('migrate', migrate, 'true or false');
  const applicationName = options.applicationName ?? 'romancy';
  if (typeof applicationName !== 'string') throw wrong('applicationName', applicationName, 'a text');
  const statementTimeout = options.statementTimeout ?? 30_000;
  if (!Number.isFinite(statementTimeout) || statementTimeout < 1000 || statementTimeout > 600_000) {
    throw wrong('statementTimeout', statementTimeout, 'milliseconds from 1000 to 600000');
  }
  return {
    connectionString,
    pool,
    schema,
    maxConnections,
    statementTimeout,
    migrate,
    applicationName,
  };
}

function wrong(option: string, value: unknown, allowed: string): ConfigurationError {
  return new ConfigurationError(`createPostgresStorage: ${option} is ${JSON.stringify(value)}; it takes ${allowed}`, { option });
}
