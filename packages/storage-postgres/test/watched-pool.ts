// A pool that lets a test see each statement before it is sent, and come between it and its answer.
import pg from 'pg';
import { afterwards } from '@romancy/test-support';
import type { PostgresClient, PostgresPool, PostgresQuery, PostgresResult } from '../src/index.js';

/** Called instead of sending; sends by `send()`. */
export type Interception = (
  query: PostgresQuery,
  send: () => Promise<PostgresResult>,
  client: PostgresClient,
) => Promise<PostgresResult>;

export interface WatchedPool {
  readonly pool: PostgresPool;
  /** All texts that were sent, in order. */
  readonly statements: string[];
  /** From here on every statement goes through this; undefined: straight to the server. */
  intercept(interception: Interception | undefined): void;
}

/** A real pool beneath; it ends with the test or file. */
export function watchedPool(url: string, max = 10): WatchedPool {
  const real = new pg.Pool({ connectionString: url, max });
  real.on('error', () => undefined);
  afterwards(() => real.end());
  const statements: string[] = [];
  let current: Interception | undefined;

  const watch = (client: pg.PoolClient): PostgresClient => {
    const watched: PostgresClient = new Proxy(client, {
      get(target, member): unknown {
        if (member !== 'query') {
          const value: unknown = Reflect.get(target, member, target);
          return typeof value === 'function' ? (value.bind(target) as unknown) : value;
        }
        return (sent: PostgresQuery | string, ...rest: unknown[]) => {
          const query = typeof sent === 'string' ? { text: sent } : sent;
          statements.push(query.text);
          const send = () => (target.query as (...all: unknown[]) => Promise<PostgresResult>).call(target, sent, ...rest);
          return current === undefined ? send() : current(query, send, target);
        };
      },
    });
    return watched;
  };

  const pool: PostgresPool = {
    connect: async () => watch(await real.connect()),
    on: (event, listener) => real.on(event, listener),
    removeListener: (event, listener) => real.removeListener(event, listener),
    options: { max },
  };
  return { pool, statements, intercept: (interception) => (current = interception) };
}
