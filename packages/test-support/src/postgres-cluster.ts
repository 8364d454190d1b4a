// Makes a PostgreSQL cluster in a temporary folder, runs its server, and takes both away again.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { freePort } from './free-port.js';
import { copyBinaries, everybodyMayEnter, findPostgresBinaries, type PostgresBinaries } from './postgres-binaries.js';
import { scratchPlace } from './scratch-folder.js';

export interface PostgresClusterOptions {
  /** Whether commits are flushed to the disk, as in production. Default false: a power cut loses the data, which tests do not mind. */
  readonly durable?: boolean;
  /** Further server settings, by their names in postgresql.conf. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Folders that are removed along with the server. */
  readonly alsoRemove?: readonly string[];
}

export interface PostgresCluster {
  /** Connection string of the superuser to the database `postgres`. */
  readonly url: string;
  /** Stops the server and removes its folder. May be called twice. */
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
  const folders = [folder, ...(options.alsoRemove ?? [])];
  try {
    let binaries = await findPostgresBinaries();
    if (identity !== undefined && !(await everybodyMayEnter(dirname(binaries.postgres)))) {
      const programs = await mkdtemp('/tmp/romancy-postgres-');
      folders.push(programs);
      binaries = await copyBinaries(binaries, programs);
    }
    const password = randomBytes(16).toString('hex');
    await initialise({ binaries, folder, identity, password });
    for (let attempt = 1; ; attempt++) {
      const port = await freePort();
      const server = runServer({ binaries, folder, identity, port, options });
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
  const usual = options.durable === true ? tmpdir() : await scratchPlace();
  const place = identity === undefined || (await everybodyMayEnter(usual)) ? usual : '/tmp';
  return await givenTo(identity, await mkdtemp(join(place, 'romancy-postgres-')));
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

async function initialise({ binaries, folder, identity, password }: Cluster & { password: string }): Promise<void> {
  const passwordFile = join(folder, 'password');
  await writeFile(passwordFile, password, { mode: 0o600 });
  await givenTo(identity, passwordFile);
  const initdb = spawn(
    binaries.initdb,
    [
      ...['--pgdata', join(folder, 'data'), '--username', superuser, '--pwfile', passwordFile, '--auth', 'scram-sha-256'],
      ...['--locale', 'C', '--encoding', 'UTF8', '--no-sync', '--no-instructions'],
      // One round instead of 4096: a password of 128 random bits needs no stretching, and tests connect thousands of times.
      ...['--set', 'scram_iterations=1'],
    ],
    { ...identity, cwd: folder, env: serverEnvironment(), stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const log = collect(initdb);
  const [code] = (await once(initdb, 'close')) as [number | null];
  if (code !== 0) throw new Error(`initdb failed with ${String(code)}:\n${log()}`);
  await rm(passwordFile);
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
