// Shows what the two modes of a pooler do to a session, and that it can be told and restarted.
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { afterwards } from './afterwards.js';
import { createDatabase } from './create-database.js';
import { eventually } from './eventually.js';
import { hasPgBouncer, startPgBouncer } from './pgbouncer.js';

describe.skipIf(!hasPgBouncer)(`PgBouncer${hasPgBouncer ? '' : ' (skipped: pgbouncer is not installed)'}`, () => {
  it('shares sessions in one mode, keeps them apart in the other, and changes between them when it is reloaded', async () => {
    const bouncer = await startPgBouncer((await createDatabase()).url, { poolMode: 'transaction', poolSize: 1 });
    expect(await sharesOneSession(bouncer.url)).toBe(true);
    await bouncer.reload({ poolMode: 'session', poolSize: 2 });
    await eventually(async () => !(await sharesOneSession(bouncer.url)));
  });

  it('cuts its clients and is there again', async () => {
    const bouncer = await startPgBouncer((await createDatabase()).url, { poolMode: 'session', poolSize: 2 });
    const client = new pg.Client({ connectionString: bouncer.url });
    const cut = new Promise((resolve) => client.on('error', resolve));
    await client.connect();
    await bouncer.restart();
    await cut;
    expect(await sharesOneSession(bouncer.url)).toBe(false);
  });
});

async function sharesOneSession(url: string): Promise<boolean> {
  const clients = [new pg.Client({ connectionString: url }), new pg.Client({ connectionString: url })];
  afterwards(async () => void (await Promise.allSettled(clients.map((client) => client.end()))));
  const pids = new Set<unknown>();
  for (const client of clients) {
    await client.connect();
    pids.add((await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows[0]?.pid);
  }
  for (const client of clients) await client.end();
  return pids.size === 1;
}
