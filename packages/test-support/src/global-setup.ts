// Brings up one PostgreSQL and one folder for temporary files for a whole test run, and tells the tests where they are.
import { rm } from 'node:fs/promises';
import type { TestProject } from 'vitest/node';
import { dropDatabasesOf, newRunId } from './create-database.js';
import { scratchFolder } from './scratch-folder.js';
import { startPostgres } from './start-postgres.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** Connection string of a superuser; use `createDatabase()` instead of writing there. */
    postgresUrl: string;
    /** Part of the name of every database that this run makes. */
    postgresRunId: string;
    /** A folder that is removed when the run is over; use `temporaryDirectory()`. */
    temporaryRoot: string;
  }
}

/** Takes the server of ROMANCY_TEST_POSTGRES_URL, of which only the databases made by this run are removed, or starts one. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const runId = newRunId();
  project.provide('postgresRunId', runId);
  const temporaryRoot = await scratchFolder('romancy-test-');
  project.provide('temporaryRoot', temporaryRoot);

  const given = process.env['ROMANCY_TEST_POSTGRES_URL'];
  if (given !== undefined && given !== '') {
    project.provide('postgresUrl', given);
    return async () => {
      await rm(temporaryRoot, { recursive: true, force: true });
      await dropDatabasesOf(runId, given);
    };
  }
  // Vitest's own folder too: it would stay behind when the run is killed.
  const server = await startPostgres({ alsoRemove: [temporaryRoot, project.tmpDir] });
  project.provide('postgresUrl', server.url);
  return () => server.stop();
}
