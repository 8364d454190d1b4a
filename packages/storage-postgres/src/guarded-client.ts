// The raw client as an activity gets it: usable until its transaction is over, and never able to give the connection away.
import { TransactionError } from '@romancy/core/ports';
import type { PostgresClient } from './postgres-pool.js';

/** The members of a client by which a connection would be ended or handed back. */
const ownersMembers = new Set<string | symbol>(['release', 'end', 'connect']);

export interface GuardedClient {
  /** Everything that the real client has, by whatever type the user's driver gives it. */
  readonly client: PostgresClient;
  /** From here on it takes no query. */
  close(): void;
}

/**
 * An activity that goes on after its attempt is over (it ignored its signal) still has the client. The connection belongs to somebody
 * else by then: a late query must fail, not run in his transaction.
 */
export function guardClient(client: PostgresClient): GuardedClient {
  let isOpen = true;
  const query = (...parameters: unknown[]): unknown => {
    // All forms that the driver knows: a promise, a callback, a cursor.
    if (isOpen) return (client.query as (...all: unknown[]) => unknown).call(client, ...parameters);
    const error = new TransactionError('the transaction of this activity is over; its client takes no more queries');
    const callback = parameters.at(-1);
    if (typeof callback !== 'function') return Promise.reject(error);
    (callback as (error: Error) => void)(error);
    return undefined;
  };
  const refuse = (): never => {
    throw new TransactionError('the connection of an activity belongs to Romancy, which commits and releases it');
  };
  const guarded = new Proxy(client, {
    get(target, member): unknown {
      if (member === 'query') return query;
      if (ownersMembers.has(member)) return refuse;
      const value: unknown = Reflect.get(target, member, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
  return {
    client: guarded,
    close: () => {
      isOpen = false;
    },
  };
}
