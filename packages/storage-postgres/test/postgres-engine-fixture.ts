// One database for the engine's suite, for each test a schema that was emptied, and a user's table beside it.
import type { EngineFixture, EngineFixtureFactory } from '@romancy/core/conformance';
import { createPostgresStorage, postgresTransaction } from '@romancy/storage-postgres';
import { shareDatabase } from '@romancy/test-support';

interface UserTables {
  readonly user_rows: { readonly key: string; readonly value: string };
}

/** Called once, where the tests are defined. */
export function createPostgresEngineFixture(): EngineFixtureFactory {
  const database = shareDatabase();
  return async (): Promise<EngineFixture> => {
    const schema = database.schemas.take();
    // Tests look side by side, and a client answers one at a time.
    const looking = schema.pool(2);
    await database.client.query(`
      SET client_min_messages = warning;
      CREATE SCHEMA IF NOT EXISTS users;
      CREATE TABLE IF NOT EXISTS users.user_rows (key text PRIMARY KEY, value text NOT NULL)`);
    return {
      storage: () => createPostgresStorage({ pool: schema.pool(5), schema: schema.name }),
      manualTime: false,
      rows: {
        async write(ctx, key, value) {
          const { db } = await postgresTransaction<UserTables>(ctx);
          await db
            .withSchema('users')
            .insertInto('user_rows')
            .values({ key, value })
            .onConflict((conflict) => conflict.column('key').doUpdateSet({ value }))
            .execute();
        },
        async read(key) {
          const session = await looking.connect();
          try {
            const { rows } = await session.query<{ value: string }>('SELECT value FROM users.user_rows WHERE key = $1', [key]);
            return rows[0]?.value;
          } finally {
            session.release();
          }
        },
        async fail(ctx) {
          const { client } = await postgresTransaction(ctx);
          await client.query('SELECT 1 / 0');
        },
      },
      skip: {
        notifier: 'shown with the one that stands beside it, in the tests of @romancy/notify-pg',
        lostSettlement:
          'answers get lost between server and storage, which lost-answers.test.ts shows; a wrapper around the storage loses what it knows of',
      },
      async cleanup() {
        await database.client.query('DELETE FROM users.user_rows');
        await schema.giveBack();
      },
    };
  };
}
