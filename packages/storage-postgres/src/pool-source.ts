// Makes a pool from a connection string, or takes the user's.
import type { PoolSource } from './database.js';
import type { PostgresPool } from './postgres-pool.js';
import type { ResolvedOptions } from './postgres-storage-options.js';

export function poolSource(options: ResolvedOptions): PoolSource {
  const { pool, connectionString } = options;
  if (pool !== undefined) return { open: async () => pool };
  return {
    async open() {
      // Loaded only here: who brings a pool of another driver of the same shape needs no pg.
      const { default: pg } = await import('pg');
      return new pg.Pool({
        connectionString,
        max: options.maxConnections,
        application_name: options.applicationName,
        connectionTimeoutMillis: 10_000,
        keepAlive: true,
      });
    },
    close: (own) => (own as PostgresPool & { end(): Promise<void> }).end(),
  };
}

/** Server and schema for log lines; nothing that could be a password. */
export function describePool({ pool, connectionString, schema }: ResolvedOptions): string {
  const place = pool === undefined ? placeOf(connectionString) : (placeOf(pool.options?.connectionString) ?? fieldsOf(pool));
  return `PostgreSQL ${place === undefined ? '' : `at ${place}, `}schema ${schema}`;
}

function placeOf(connectionString: string | undefined): string | undefined {
  if (connectionString === undefined || !URL.canParse(connectionString)) return undefined;
  const { hostname, port, pathname } = new URL(connectionString);
  return `${hostname === '' ? 'localhost' : hostname}${port === '' ? '' : `:${port}`}${pathname}`;
}

function fieldsOf({ options }: PostgresPool): string | undefined {
  if (options?.host === undefined) return undefined;
  return `${options.host}${options.port === undefined ? '' : `:${options.port}`}/${options.database ?? ''}`;
}
