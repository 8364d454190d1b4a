// What can happen to a PostgreSQL while workers are busy.
import type { DurabilityFault, DurabilityFixture, DurabilityOutage } from '@romancy/core/conformance';
import { afterwards, startPostgres } from '@romancy/test-support';
import pg from 'pg';
import { createPostgresDurabilityFixture } from './postgres-durability-fixture.js';
import { restartPostgres, shutDownPostgres, type ShutdownMode } from './restart-postgres.js';

type Client = pg.Client;

/** What the server says of a passing fault: serialization failure, deadlock, disk full, out of memory, cancelled, lock not available. */
const passingStates = ['40001', '40P01', '53100', '53200', '57014', '55P03'];

export const postgresFaults: readonly DurabilityFault[] = [
  restart('fast'),
  restart('immediate'),
  {
    name: 'its connections are terminated at random, again and again',
    steps: 60,
    happen: ({ place, isDone }) =>
      withClient(place, async (client) => {
        for (let cuts = 0; cuts < 200 && !(await isDone()); cuts++) {
          await terminate(client, 2);
          await pause(25);
        }
      }),
  },
  {
    name: 'statements are cancelled by a statement timeout while tables are locked',
    happen: ({ place }) =>
      withClient(place, async (client) => {
        await setForDatabase(client, `statement_timeout = '150ms'`);
        await terminate(client);
        for (let round = 0; round < 3; round++) {
          // The lock is asked for under a timeout of its own: where it waits, everybody waits behind it.
          await client.query(
            `begin; set local statement_timeout = 0; lock table romancy.history, romancy.workers; select pg_sleep(0.5); commit`,
          );
          await pause(100);
        }
        await setForDatabase(client, `statement_timeout = 0`);
        await terminate(client);
      }),
  },
  {
    name: 'deadlocks, serialization failures, a full disk and lacking memory are reported at random',
    happen: ({ place, isDone }) =>
      withClient(place, async (client) => {
        await client.query(`
          create function public.fail() returns trigger language plpgsql as $$ begin
            if random() < 0.15 then
              raise exception 'injected' using errcode = ('{${passingStates.join(',')}}'::text[])[1 + floor(random() * ${passingStates.length})];
            end if;
            return null;
          end $$`);
        for (const table of ['instances', 'history', 'workers']) {
          await client.query(
            `create trigger fail before insert or update or delete on romancy.${table} for each statement execute function public.fail()`,
          );
        }
        const end = performance.now() + 3000;
        while (performance.now() < end && !(await isDone())) await pause(50);
        await client.query('drop function public.fail() cascade');
      }),
  },
  {
    name: 'its default isolation became serializable',
    // Sessions that are ended between two statements are replaced without a word.
    goesUnnoticed: true,
    happen: ({ place }) =>
      withClient(place, async (client) => {
        await setForDatabase(client, `default_transaction_isolation = 'serializable'`);
        await terminate(client);
      }),
  },
  {
    name: 'a failover: it is read-only for a while',
    happen: ({ place }) =>
      withClient(place, async (client) => {
        await setForDatabase(client, 'default_transaction_read_only = on');
        await terminate(client);
        await pause(1000);
        await client.query('set default_transaction_read_only = off');
        await setForDatabase(client, 'default_transaction_read_only = off');
        await terminate(client);
      }),
  },
  {
    name: 'too many connections',
    ...ownServer({ max_connections: '24' }),
    happen: ({ place }) =>
      withClient(place, async (client) => {
        await terminate(client);
        const { hogs, refusal } = await takeAllConnections(place);
        await terminate(client);
        await pause(1000);
        await Promise.all(hogs.map((hog) => hog.end()));
        if (refusal !== '53300') throw new Error(`connections were refused with ${String(refusal)}, not with 53300`);
      }),
  },
];

/** The server is shut down until somebody starts it again. */
export const postgresOutage: DurabilityOutage = {
  ...ownServer({}),
  begin: (place) => shutDownPostgres(urlOf(place), 'fast'),
};

function restart(mode: ShutdownMode): DurabilityFault {
  return {
    name: `a restart (${mode}) of the server`,
    ...ownServer({}),
    happen: ({ place }) => restartPostgres(urlOf(place), mode),
  };
}

/** A server that the test may treat as it likes. */
function ownServer(settings: Readonly<Record<string, string>>): Pick<DurabilityFault, 'factory' | 'skip'> {
  if (process.env['ROMANCY_TEST_POSTGRES_URL'] !== undefined && process.env['ROMANCY_TEST_POSTGRES_URL'] !== '') {
    return { skip: 'it needs a server of its own, and one was given' };
  }
  return {
    async factory(): Promise<DurabilityFixture> {
      const server = await startPostgres({ settings });
      afterwards(() => server.stop());
      return await createPostgresDurabilityFixture(server.url);
    },
  };
}

/** Opens connections until the server refuses one. */
async function takeAllConnections(place: string): Promise<{ readonly hogs: readonly Client[]; readonly refusal: unknown }> {
  const hogs: Client[] = [];
  for (;;) {
    const hog = new pg.Client({ connectionString: urlOf(place), application_name: 'hog' });
    hog.on('error', () => undefined);
    try {
      await hog.connect();
    } catch (error) {
      return { hogs, refusal: (error as { readonly code?: unknown }).code };
    }
    hogs.push(hog);
  }
}

/** Holds for connections that are made from now on. */
async function setForDatabase(client: Client, setting: string): Promise<void> {
  await client.query(
    `do $$ begin execute format('alter database %I set ${setting.replaceAll("'", "''")}', current_database()); end $$`,
  );
}

/** Cuts connections of workers, that many or all. */
async function terminate(client: Client, count?: number): Promise<void> {
  await client.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and application_name = 'romancy' order by random() limit $1`,
    [count ?? null],
  );
}

async function withClient(place: string, work: (client: Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: urlOf(place), application_name: 'fault' });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

function urlOf(place: string): string {
  return (JSON.parse(place) as { readonly connectionString: string }).connectionString;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
