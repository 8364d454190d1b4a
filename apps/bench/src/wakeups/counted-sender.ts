// Connects a notifier in such a way that what its sending session asks is counted.
import pg from 'pg';
import type { PgNotifierOptions } from '@romancy/notify-pg';

export interface CountedSender {
  readonly connect: NonNullable<PgNotifierOptions['connect']>;
  /** Statements on the sending session until now; each of them is a transaction. */
  statements(): number;
}

export function countedSender(url: string): CountedSender {
  let statements = 0;
  return {
    async connect({ role }) {
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      if (role === 'listening') return client;
      const query = client.query.bind(client) as (...args: readonly unknown[]) => unknown;
      return Object.assign(client, {
        query: (...args: readonly unknown[]) => {
          statements++;
          return query(...args);
        },
      });
    },
    statements: () => statements,
  };
}
