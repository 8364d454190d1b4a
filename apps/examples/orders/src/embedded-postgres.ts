// A PostgreSQL server for who has none: its programs come out of the package registry.
import { startPostgres, type PostgresCluster } from '@romancy/test-support/postgres';

/** Keeps its data in the folder, and ends with this process, however that ends. */
export async function startEmbeddedPostgres(folder: string): Promise<PostgresCluster> {
  return await startPostgres({ folder, durable: true });
}
