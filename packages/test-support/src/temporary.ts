// Gives a test files and folders of its own, which are removed afterwards.
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { inject } from 'vitest';
import type {} from './provided-context.js';
import { afterwards } from './afterwards.js';

/** An empty folder that is removed, with all that is in it then, after the test (or the file, outside of a test). */
export async function temporaryDirectory(): Promise<string> {
  const path = await mkdtemp(join(inject('temporaryRoot'), 'test-'));
  afterwards(() => rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 }));
  return path;
}

/** The path of a file that does not exist yet, alone in its folder: what is put beside it (`-wal`, `-shm`) goes with it. */
export async function temporaryFile(name = 'romancy.db'): Promise<string> {
  return join(await temporaryDirectory(), name);
}
