// Makes a PostgreSQL cluster in a temporary folder, runs its server, and takes both away again.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chown, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { freePort } from './free-port.js';
import { copyBinaries, everybodyMayEnter, findPostgresBinaries, type PostgresBinaries } from './postgres-binaries.js';
import { scratchPlace } from './scratch-folder.js';

export interface PostgresClusterOptions {
  /** Whether commits are flushed to the disk, as in production. Default false: a power cut loses the data, which tests do not mind. */
  readonly durable?: boolean;
  /**
   * Where the data is kept: what an earlier server has left there is there again, and stays when the server stops. Default: nowhere.
   */
  readonly folder?: string;
  /** Further server settings, by their names in postgresql.conf. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Folders that are removed along with the server. */
  readonly alsoRemove?: readonly string[];
}

export interface PostgresCluster {
  /** Connection string of the superuser to the database `postgres`. */
  readonly url: string;
  /** Stops the server and removes its data, unless they have a folder to be kept in. May be called twice. */
  stop(): Promise<void>;
}

interface Identity {
  readonly uid: number;
  readonly gid: number;
}

const superuser = 'romancy';
const portAttempts = 5;

/** Starts a server on a free port of the loopback interface; resolves when it accepts connections. */
export async function startCluster(options: PostgresClusterOptions = {}): Promise<PostgresCluster> {
  const identity = unprivilegedIdentity();
  const folder = await clusterFolder(identity, options);
  const folders = [...(options.folder === undefined ? [folder] : []), ...(options.alsoRemove ?? [])];
  try {
    let binaries = await findPostgresBinaries();
    if (identity !== undefined && !(await everybodyMayEnter(dirname(binaries.postgres)))) {
      const programs = await mkdtemp('/tmp/romancy-postgres-');
      folders.push(programs);
      binaries = await copyBinaries(binaries, programs);
    }
    const cluster = { binaries, folder, identity };
    const password = await passwordOf(cluster);
    if (!existsSync(join(folder, 'data'))) await initialise(cluster);
    for (let attempt = 1; ; attempt++) {
      const port = await freePort();
      const server = runServer({ ...cluster, port, options });
      if (await server.ready) {
        const url = `postgres://${superuser}:${password}@127.0.0.1:${String(port)}/postgres`;
        return { url, stop: () => stopServer(server.process, folders) };
      }
      // Between our look and the server's start somebody else may have taken the port; anything else fails the same way each time.
      if (attempt === portAttempts) throw new Error(`PostgreSQL did not start:\n${server.log()}`);
    }
  } catch (error) {
    await removeFolders(folders);
    throw error;
  }
}

/** PostgreSQL refuses to run as root: root runs it as `nobody`, who owns nothing else. Everybody else runs it as himself. */
function unprivilegedIdentity(): Identity | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string): number => Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

/** Durable data belongs on a disk, and a folder must be one that the server's user can get at. */
async function clusterFolder(identity: Identity | undefined, options: PostgresClusterOptions): Promise<string> {
  if (options.folder !== undefined) return await keptFolder(identity, resolve(options.folder));
  const usual = options.durable === true ? tmpdir() : await scratchPlace();
  const place = identity === undefined || (await everybodyMayEnter(usual)) ? usual : '/tmp';
  return await givenTo(identity, await mkdtemp(join(place, 'romancy-postgres-')));
}

/** The folder as it was asked for; in root's home, say, where the server's user cannot get at it, always the same other one instead. */
async function keptFolder(identity: Identity | undefined, folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  if (identity === undefined || (await everybodyMayEnter(dirname(folder)))) return await givenTo(identity, folder);
  const other = `/var/lib/romancy-postgres/${createHash('sha256').update(folder).digest('hex').slice(0, 16)}`;
  await mkdir(other, { recursive: true });
  return await givenTo(identity, other);
}

async function givenTo(identity: Identity | undefined, path: string): Promise<string> {
  if (identity !== undefined) await chown(path, identity.uid, identity.gid);
  return path;
}

interface Cluster {
  readonly binaries: PostgresBinaries;
  readonly folder: string;
  readonly identity: Identity | undefined;
}

/** The superuser's password: that of the data that is there, or a new one. */
async function passwordOf({ folder, identity }: Cluster): Promise<string> {
  const file = join(folder, 'password');
  if (existsSync(join(folder, 'data'))) return await readFile(file, 'utf8');
  const password = randomBytes(16).toString('hex');
  await writeFile(file, password, { mode: 0o600 });
  await givenTo(identity, file);
  return password;
}

/** The data get their name when they are complete: what an interrupted start has left is not taken for them. */
async function initialise({ binaries, folder, identity }: Cluster): Promise<void> {
  const unfinished = join(folder, 'unfinished');
  await rm(unfinished, { recursive: true, force: true });
  const initdb = spawn(
    binaries.initdb,
    [
      ...['--pgdata', unfinished, '--username', superuser, '--pwfile', join(folder, 'password'), '--auth', 'scram-sha-256'],
      ...['--locale', 'C', '--encoding', 'UTF8', '--no-sync', '--no-instructions'],
      // One round instead of 4096: a password of 128 random bits needs no stretching, and tests connect thousands of times.
      ...['--set', 'scram_iterations=1'],
    ],
    { ...identity, cwd: folder, env: serverEnvironment(), stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const log = collect(initdb);
  const [code] = (await once(initdb, 'close')) as [number | null];
  if (code !== 0) throw new Error(`initdb failed with ${String(code)}:\n${log()}`);
  await rename(unfinished, join(folder, 'data'));
}

interface Server {
  readonly process: ChildProcess;
  /** True once connections are accepted, false when the process ended before. */
  readonly ready: Promise<boolean>;
  readonly log: () => string;
}

function runServer({
  binaries,
  folder,
  identity,
  port,
  options,
}: Cluster & { port: number; options: PostgresClusterOptions }): Server {
  const settings: Record<string, string> = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: '200',
    ...(options.durable === true ? {} : { fsync: 'off', full_page_writes: 'off' }),
    ...options.settings,
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const server = spawn(binaries.postgres, ['-D', join(folder, 'data'), '-p', String(port), ...flags], {
    ...identity,
    cwd: folder,
    env: serverEnvironment(),
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const log = collect(server);
  const ready = new Promise<boolean>((resolve, reject) => {
    server.stderr.on('data', () => {
      if (log().includes('ready to accept connections')) resolve(true);
    });
    server.once('error', reject);
    server.once('close', () => {
      resolve(false);
    });
  });
  return { process: server, ready, log };
}

/** Without the caller's PG* variables, which would redirect initdb, and with messages that can be recognised. */
function serverEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('PG'));
  return { ...Object.fromEntries(kept), LC_ALL: 'C' };
}

/** Keeps the last of what a process says, for error messages; reading on also keeps its pipe from filling up. */
function collect(child: ChildProcess): () => string {
  let text = '';
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    text = (text + chunk).slice(-8192);
  });
  return () => text;
}

async function stopServer(server: ChildProcess, folders: readonly string[]): Promise<void> {
  if (server.exitCode === null && server.signalCode === null) {
    const closed = once(server, 'exit');
    server.kill('SIGINT'); // "fast shutdown": cuts the sessions, then ends
    const impatient = setTimeout(() => server.kill('SIGQUIT'), 10_000);
    await closed;
    clearTimeout(impatient);
  }
  await removeFolders(folders);
}

async function removeFolders(folders: readonly string[]): Promise<void> {
  for (const folder of folders) await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
}
