// Workflows that talk on PostgreSQL, with this notifier between their processes.
import { notifiedConformance } from '@romancy/core/conformance';
import { createPostgresStorage, postgresTransaction } from '@romancy/storage-postgres';
import { shareDatabase } from '@romancy/test-support';
import { createPgNotifier } from '../src/index.js';

interface UserTables {
  readonly user_rows: { readonly key: string; readonly value: string };
}

const database = shareDatabase();
let tests = 0;

notifiedConformance('notes over PostgreSQL', async () => {
  const schema = database.schemas.take();
  const channelPrefix = `talk_${++tests}`;
  const looking = schema.pool(2);
  await database.client.query(`
    SET client_min_messages = warning;
    CREATE SCHEMA IF NOT EXISTS users;
    CREATE TABLE IF NOT EXISTS users.user_rows (key text PRIMARY KEY, value text NOT NULL)`);
  return {
    storage: () => createPostgresStorage({ pool: schema.pool(5), schema: schema.name }),
    manualTime: false,
    notifier: () => createPgNotifier({ connectionString: database.url, channelPrefix }),
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
        const { rows } = await session.query<{ value: string }>('SELECT value FROM users.user_rows WHERE key = $1', [key]);
        session.release();
        return rows[0]?.value;
      },
    },
    skip: { failingStatement: 'not of the cases about talking' },
    async cleanup() {
      await database.client.query('DELETE FROM users.user_rows');
      await schema.giveBack();
    },
  };
});
