// Makes folders for data that nobody needs after the run, where writing is cheapest.
import { constants } from 'node:fs';
import { access, mkdtemp, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const memory = '/dev/shm';
const enough = 2 * 1024 ** 3;

/** A new empty folder for files that are read and written. Programs may not be allowed to run from there. */
export async function scratchFolder(prefix: string): Promise<string> {
  return await mkdtemp(join(await scratchPlace(), prefix));
}

/**
 * In memory where the system has a file system there with 2 GiB free, since making and removing databases is mostly making and removing
 * files, else the usual place for temporary files.
 */
export async function scratchPlace(): Promise<string> {
  return (await memoryIsRoomy()) ? memory : tmpdir();
}

async function memoryIsRoomy(): Promise<boolean> {
  try {
    await access(memory, constants.W_OK | constants.X_OK);
    const { bavail, bsize } = await statfs(memory);
    return bavail * bsize >= enough;
  } catch {
    return false; // no such place on this system
  }
}
