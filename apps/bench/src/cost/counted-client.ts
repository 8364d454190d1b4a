// Counts at a client of pg how often the server said that it is ready for more: once for each round trip, whatever went in it.
import type pg from 'pg';
import type { Quiet } from './quiet.js';

/** What `pg` has and its types do not tell of. */
interface WithConnection {
  readonly connection: { on(event: 'readyForQuery', listener: () => void): void };
}

/** To be called before it is used; once for each client. */
export function countRoundTrips<TClient extends pg.ClientBase>(client: TClient, quiet: Quiet, onRoundTrip: () => void): TClient {
  (client as unknown as WithConnection).connection.on('readyForQuery', onRoundTrip);
  const query = client.query.bind(client) as (...args: readonly unknown[]) => Promise<unknown>;
  return Object.assign(client, {
    query: (...args: readonly unknown[]) => {
      quiet.began();
      return query(...args).finally(() => quiet.ended());
    },
  });
}
