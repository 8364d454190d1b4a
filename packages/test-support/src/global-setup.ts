// Brings up one PostgreSQL for a whole test run and tells the tests its address.
import type { TestProject } from 'vitest/node';
import { dropDatabasesOf, newRunId } from './create-database.js';
import { startPostgres } from './start-postgres.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** Connection string of a superuser; use `createDatabase()` instead of writing there. */
    postgresUrl: string;
    /** Part of the name of every database that this run makes. */
    postgresRunId: string;
  }
}

/** Takes the server of ROMANCY_TEST_POSTGRES_URL, of which only the databases made by this run are removed, or starts one. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const runId = newRunId();
  project.provide('postgresRunId', runId);
  const given = process.env['ROMANCY_TEST_POSTGRES_URL'];
  if (given !== undefined && given !== '') {
    project.provide('postgresUrl', given);
    return () => dropDatabasesOf(runId, given);
  }
  const server = await startPostgres();
  project.provide('postgresUrl', server.url);
  return () => server.stop();
}
