// Counts at a client of pg how often the server said that it is ready for more: once for each round trip, whatever went in it.
import type pg from 'pg';
import type { Quiet } from './quiet.js';

/** What `pg` has and its types do not tell of. */
interface WithConnection {
  readonly connection: { on(event: 'readyForQuery', listener: () => void): void };
}

/** A query that sends itself, and is told by the driver how it ended: by one of these, which answers for the other as well. */
interface Submittable {
  readonly submit: unknown;
  handleError(...args: readonly unknown[]): unknown;
  handleReadyForQuery(...args: readonly unknown[]): unknown;
}

/** To be called before it is used; once for each client. */
export function countRoundTrips<TClient extends pg.ClientBase>(client: TClient, quiet: Quiet, onRoundTrip: () => void): TClient {
  (client as unknown as WithConnection).connection.on('readyForQuery', onRoundTrip);
  const query = client.query.bind(client) as (...args: readonly unknown[]) => unknown;
  return Object.assign(client, {
    query: (...args: readonly unknown[]) => {
      quiet.began();
      if (isSubmittable(args[0])) tellEnd(args[0], () => quiet.ended());
      const answer = query(...args);
      return answer instanceof Promise ? answer.finally(() => quiet.ended()) : answer;
    },
  });
}

function isSubmittable(query: unknown): query is Submittable {
  return typeof query === 'object' && query !== null && 'submit' in query;
}

function tellEnd(query: Submittable, onEnd: () => void): void {
  let isOver = false;
  const handle = (handler: 'handleError' | 'handleReadyForQuery'): void => {
    const usual = query[handler].bind(query);
    query[handler] = (...args) => {
      if (!isOver) onEnd();
      isOver = true;
      return usual(...args);
    };
  };
  handle('handleError');
  handle('handleReadyForQuery');
}
