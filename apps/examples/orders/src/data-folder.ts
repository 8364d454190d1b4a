// The folder that keeps everything between two starts, for one demo at a time.
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { DemoError } from './command-line.js';

export interface DataFolder {
  /** Where a file of that name is, or would be. */
  file(name: string): string;
  /** Removes all that is in it. */
  clear(): Promise<void>;
  /** Lets others use it. */
  close(): void;
}

const lockName = 'lock';

/** @throws DemoError when another demo is using it, or it cannot be made. */
export async function openDataFolder(path: string): Promise<DataFolder> {
  try {
    await mkdir(path, { recursive: true });
  } catch (error) {
    throw new DemoError(`The folder ${path} cannot be made: ${(error as Error).message}.`);
  }
  // A lock that the system lets go of when this process ends, in whatever way.
  const lock = new Database(join(path, lockName), { timeout: 0 });
  try {
    lock.exec('begin exclusive');
  } catch {
    lock.close();
    throw new DemoError(
      `Another demo is at work in ${path}. Wait for its end, or give this one a folder of its own with --data.`,
    );
  }
  return {
    file: (name) => join(path, name),
    async clear() {
      for (const name of await readdir(path)) {
        if (name !== lockName) await rm(join(path, name), { recursive: true, force: true });
      }
    },
    close: () => void lock.close(),
  };
}
