// The engine on PostgreSQL does what it promises.
import { engineConformance, type EngineFixture } from '@romancy/core/conformance';
import { createPostgresStorage, postgresTransaction } from '@romancy/storage-postgres';
import { collectGarbage, createDatabase } from '@romancy/test-support';
import pg from 'pg';
import { afterAll, beforeAll } from 'vitest';

interface UserTables {
  readonly user_rows: { readonly key: string; readonly value: string };
}

let url: string;
let outside: pg.Client;
let tests = 0;

// One database for all tests, a schema for each: databases are dear.
beforeAll(async () => {
  url = (await createDatabase()).url;
  outside = new pg.Client({ connectionString: url });
  await outside.connect();
});

afterAll(() => outside.end());

engineConformance(
  'PostgreSQL',
  async (): Promise<EngineFixture> => {
    const test = ++tests;
    const [schema, users] = [`romancy_${test}`, `users_${test}`];
    await outside.query(`CREATE SCHEMA ${users}; CREATE TABLE ${users}.user_rows (key text PRIMARY KEY, value text NOT NULL)`);
    return {
      storage: () => createPostgresStorage({ connectionString: url, maxConnections: 5, schema }),
      manualTime: false,
      rows: {
        async write(ctx, key, value) {
          const { db } = await postgresTransaction<UserTables>(ctx);
          await db
            .withSchema(users)
            .insertInto('user_rows')
            .values({ key, value })
            .onConflict((conflict) => conflict.column('key').doUpdateSet({ value }))
            .execute();
        },
        async read(key) {
          const { rows } = await outside.query<{ value: string }>(`SELECT value FROM ${users}.user_rows WHERE key = $1`, [key]);
          return rows[0]?.value;
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
        await outside.query(`DROP SCHEMA ${users} CASCADE; DROP SCHEMA IF EXISTS ${schema} CASCADE`);
      },
    };
  },
  { collectGarbage },
);
