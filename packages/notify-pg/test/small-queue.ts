// A server of its own with half a megabyte for its queue of notes, which has eight gigabytes otherwise: filling those is no test.
import { afterwards, startPostgres, type PostgresCluster } from '@romancy/test-support';

/** Why {@link smallQueueServer} gives none. */
export const tooOld = 'the server is older than 17, whose queue always has eight gigabytes';

/** Stopped after the test. Undefined on a server that does not know the setting; one that fails to start for another reason fails the test. */
export async function smallQueueServer(): Promise<PostgresCluster | undefined> {
  try {
    const server = await startPostgres({ settings: { max_notify_queue_pages: '64' } });
    afterwards(() => server.stop());
    return server;
  } catch (error) {
    if (/unrecognized configuration parameter/.test(String(error))) return undefined;
    throw error;
  }
}
