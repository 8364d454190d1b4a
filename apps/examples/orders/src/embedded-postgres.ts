// A PostgreSQL server for who has none: its programs come out of the package registry.
import { startPostgres, type PostgresCluster } from '@romancy/test-support/postgres';
import { DemoError } from './command-line.js';

/** Keeps its data in the folder, and ends with this process, however that ends. @throws DemoError */
export async function startEmbeddedPostgres(folder: string): Promise<PostgresCluster> {
  try {
    return await startPostgres({ folder, durable: true });
  } catch (error) {
    throw new DemoError(
      `The demo cannot start a PostgreSQL of its own; give it one with --postgres URL.\n${(error as Error).message}`,
    );
  }
}
