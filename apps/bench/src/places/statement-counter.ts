// Counts on the server how many statements came in over certain connections.
import pg from 'pg';
import { pause } from '../pause.js';

const counting = {
  statements: {
    how: 'by the server (pg_stat_statements), BEGIN and COMMIT included',
    // Without what is asked here: only the counted connections switch tracking on, unless the server has it on for all.
    query: `SELECT coalesce(sum(calls), 0)::float8 AS count FROM pg_stat_statements
      WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND query NOT LIKE '%FROM pg_stat_statements%'`,
  },
  transactions: {
    how: 'by the server, transactions of the database (pg_stat_database), this count itself included',
    query: `SELECT (xact_commit + xact_rollback)::float8 AS count FROM pg_stat_database WHERE datname = current_database()`,
  },
};

export interface StatementCounter {
  /** What goes over connections of this address is counted. */
  readonly countedUrl: string;
  readonly how: string;
  count(): Promise<number>;
  close(): Promise<void>;
}

/** With pg_stat_statements where it can be had, else transactions: of a storage that sends one statement per transition, nearly the same. */
export async function openStatementCounter(url: string): Promise<StatementCounter> {
  const tracked = new URL(url);
  tracked.searchParams.set('options', '-c pg_stat_statements.track=top');
  const isTracked = await canTrack(tracked.href);
  const { how, query } = counting[isTracked ? 'statements' : 'transactions'];
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return {
    countedUrl: isTracked ? tracked.href : url,
    how,
    async count() {
      const { rows } = await client.query<{ readonly count: number }>(query);
      return rows[0]!.count;
    },
    close: () => client.end(),
  };
}

/** How many of whatever `counter` counts come in a second, over so many milliseconds. */
export async function countPerSecond(counter: { count(): Promise<number> }, ms: number): Promise<number> {
  const before = await counter.count();
  const began = performance.now();
  await pause(ms);
  const counted = (await counter.count()) - before;
  return (counted * 1000) / (performance.now() - began);
}

/** The library must be loaded, the extension be made, and the setting be allowed, which takes a superuser. */
async function canTrack(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url });
  try {
    await client.connect();
    await client.query('CREATE EXTENSION IF NOT EXISTS pg_stat_statements');
    await client.query('SELECT 1 FROM pg_stat_statements LIMIT 1');
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}
