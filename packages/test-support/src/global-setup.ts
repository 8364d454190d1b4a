// Brings up one PostgreSQL and one folder for temporary files for a whole test run, and tells the tests where they are.
import { chmod, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import type {} from './provided-context.js';
import { dropDatabasesOf, newRunId } from './create-database.js';
import { templateVariable } from './postgres-data.js';
import { scratchFolder } from './scratch-folder.js';
import { startPostgres } from './start-postgres.js';

/**
 * For the first project of a run that asks for it, and by way of what all projects have in common for the others.
 * Takes the server of ROMANCY_TEST_POSTGRES_URL, of which only the databases made by this run are removed, or starts one.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const all = project.vitest.getRootProject();
  // One project after the other, so whoever comes later finds what is there.
  if (all.getProvidedContext().postgresUrl !== undefined) return () => Promise.resolve();
  const runId = newRunId();
  all.provide('postgresRunId', runId);
  const temporaryRoot = await scratchFolder('romancy-test-');
  // A server's user may pass on his way to a folder of his own; he cannot see what else is there.
  await chmod(temporaryRoot, 0o711);
  all.provide('temporaryRoot', temporaryRoot);

  const given = process.env['ROMANCY_TEST_POSTGRES_URL'];
  if (given !== undefined && given !== '') {
    all.provide('postgresUrl', given);
    return async () => {
      await rm(temporaryRoot, { recursive: true, force: true });
      await dropDatabasesOf(runId, given);
    };
  }
  // Whoever starts a server of its own has the variable from this process. (Windows has no `cp`.)
  if (process.platform !== 'win32') process.env[templateVariable] = join(temporaryRoot, 'postgres-template');
  // Vitest's own folders too: they would stay behind when the run is killed.
  const server = await startPostgres({ alsoRemove: [temporaryRoot, ...project.vitest.projects.map(({ tmpDir }) => tmpDir)] });
  all.provide('postgresUrl', server.url);
  return () => server.stop();
}
