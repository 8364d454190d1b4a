// The data of a PostgreSQL cluster in its folder: made once, and whole or not at all.
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { access, chown, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { collect } from './collect-output.js';
import type { PostgresBinaries } from './postgres-binaries.js';

/** Whom the server runs as. */
export interface Identity {
  readonly uid: number;
  readonly gid: number;
}

export interface Cluster {
  readonly binaries: PostgresBinaries;
  readonly folder: string;
  /** Undefined: as this process. */
  readonly identity: Identity | undefined;
}

export const superuser = 'romancy';
const unfinished = 'unfinished-';

/**
 * The data in the folder and the superuser's password, made when they are not there. They get their name when they are complete: what an
 * interrupted start has left is not taken for them, and of two starts at once one makes them for both.
 */
export async function prepareData(cluster: Cluster): Promise<{ readonly data: string; readonly password: string }> {
  const finished = join(cluster.folder, 'cluster');
  const passwordFile = join(finished, 'password');
  let password = await readFile(passwordFile, 'utf8').catch(() => undefined);
  if (password === undefined) {
    const own = join(cluster.folder, `${unfinished}${randomBytes(6).toString('hex')}`);
    await make(cluster, own);
    // Refused when the other one was faster; then there is something to be read.
    await rename(own, finished).catch(() => rm(own, { recursive: true, force: true }));
    password = await readFile(passwordFile, 'utf8');
  }
  return { data: join(finished, 'data'), password };
}

/**
 * Names the folder in which the first server of a test run leaves a copy of its new data for all others: to copy them takes a tenth of the time
 * that making them takes. Not set: each makes its own.
 */
export const templateVariable = 'ROMANCY_TEST_POSTGRES_TEMPLATE';

async function make(cluster: Cluster, folder: string): Promise<void> {
  const template = process.env[templateVariable];
  if (template === undefined) return await initialise(cluster, folder);
  const isThere = await access(template).then(
    () => true,
    () => false,
  );
  if (isThere) return await copy(template, folder);
  await initialise(cluster, folder);
  await copy(folder, template);
}

/** With owners and rights. */
async function copy(from: string, to: string): Promise<void> {
  const [code] = (await once(spawn('cp', ['-a', from, to], { stdio: 'ignore' }), 'exit')) as [number | null];
  if (code !== 0) throw new Error(`could not copy ${from} to ${to}`);
}

/** Removes what interrupted starts have left. */
export async function removeUnfinished(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name.startsWith(unfinished)) await rm(join(folder, name), { recursive: true, force: true });
  }
}

/** One round instead of 4096: a password of 128 random bits needs no stretching, and tests connect thousands of times. */
const quickPasswords = ['--set', 'scram_iterations=1'];

function majorVersion({ postgres }: PostgresBinaries): number {
  return Number(/(\d+)/.exec(execFileSync(postgres, ['--version'], { encoding: 'utf8' }))?.[0]);
}

/** Without the caller's PG* variables, which would redirect initdb, and with messages that can be recognised. */
export function serverEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('PG'));
  return { ...Object.fromEntries(kept), LC_ALL: 'C' };
}

async function initialise({ binaries, identity }: Cluster, folder: string): Promise<void> {
  const passwordFile = join(folder, 'password');
  await mkdir(folder);
  await writeFile(passwordFile, randomBytes(16).toString('hex'), { mode: 0o600 });
  if (identity !== undefined) for (const path of [folder, passwordFile]) await chown(path, identity.uid, identity.gid);
  const initdb = spawn(
    binaries.initdb,
    [
      ...['--pgdata', join(folder, 'data'), '--username', superuser, '--pwfile', passwordFile, '--auth', 'scram-sha-256'],
      ...['--locale', 'C', '--encoding', 'UTF8', '--no-sync'],
      ...(majorVersion(binaries) < 16 ? [] : quickPasswords),
    ],
    { ...identity, cwd: folder, env: serverEnvironment(), stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const log = collect(initdb);
  const [code] = (await once(initdb, 'close')) as [number | null];
  if (code !== 0) throw new Error(`initdb failed with ${String(code)}:\n${log()}`);
}
