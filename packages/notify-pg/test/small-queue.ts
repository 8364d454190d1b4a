// A server of its own with half a megabyte for its queue of notes, which has eight gigabytes otherwise: filling those is no test.
import { afterwards, startPostgres, type PostgresCluster } from '@romancy/test-support';
import pg from 'pg';

/** Why {@link smallQueueServer} gives none. */
export const tooOld = 'the server is older than 17, whose queue always has eight gigabytes';

/** In the folder of its data. */
const hasLocalSockets = process.platform !== 'win32';

/** Stopped after the test. Undefined on a server that does not know the setting; one that fails to start for another reason fails the test. */
export async function smallQueueServer(): Promise<PostgresCluster | undefined> {
  try {
    const settings = { max_notify_queue_pages: '64', ...(hasLocalSockets ? { unix_socket_directories: '.' } : {}) };
    const server = await startPostgres({ settings });
    afterwards(() => server.stop());
    return server;
  } catch (error) {
    if (/unrecognized configuration parameter/.test(String(error))) return undefined;
    throw error;
  }
}

/**
 * A client of such a server over a line that is full when it is: what TCP takes for a reader that stands still grows with each try, for minutes and up to
 * dozens of megabytes.
 */
export async function localClient(url: string, config: pg.ClientConfig): Promise<pg.Client> {
  if (!hasLocalSockets) return new pg.Client({ connectionString: url, ...config });
  const asking = new pg.Client({ connectionString: url });
  await asking.connect();
  const { rows } = await asking.query<{ data_directory: string }>('SHOW data_directory');
  await asking.end();
  const { port, username, password, pathname } = new URL(url);
  return new pg.Client({
    host: rows[0]!.data_directory,
    port: Number(port),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    database: pathname.slice(1),
    ...config,
  });
}
