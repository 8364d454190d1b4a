// Makes a PostgreSQL cluster in a temporary folder, runs its server, and takes both away again.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chown, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { freePort } from './free-port.js';
import { copyBinaries, everybodyMayEnter, findPostgresBinaries } from './postgres-binaries.js';
import { prepareData, removeUnfinished, superuser, type Identity } from './postgres-data.js';
import { PostgresServer, type ShutdownMode } from './postgres-server.js';
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
  /** Ends the server alone; its port and its data stay for `startAgain`. */
  shutDown(mode: ShutdownMode): Promise<void>;
  /** Starts a server that was shut down; resolves when it accepts connections at the same address. */
  startAgain(): Promise<void>;
  /** Stops all processes of the server where they are (SIGSTOP): nothing answers, nothing ends. On Linux only. */
  freeze(): Promise<void>;
  /** They go on after `freeze`. */
  thaw(): Promise<void>;
}

const portAttempts = 5;
/** How long the server of another process may take to leave a folder. */
const patienceMs = 15_000;

/**
 * Starts a server on a free port of the loopback interface; resolves when it accepts connections.
 * @param unwanted aborts when nobody waits for it any more.
 */
export async function startCluster(options: PostgresClusterOptions, unwanted: AbortSignal): Promise<PostgresCluster> {
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
    const { data, password } = await prepareData(cluster);
    const impatient = performance.now() + patienceMs;
    for (let attempt = 1; ; attempt++) {
      unwanted.throwIfAborted();
      const port = await freePort();
      const server = new PostgresServer({ ...cluster, data, port, settings: settingsOf(options) });
      if (await server.start()) {
        // Only one server can have the data, and it is this one.
        await removeUnfinished(folder);
        const url = `postgres://${superuser}:${password}@127.0.0.1:${String(port)}/postgres`;
        return {
          url,
          async stop() {
            await server.shutDown('fast');
            await removeFolders(folders);
          },
          shutDown: (mode) => server.shutDown(mode),
          startAgain: () => server.startAgain(),
          freeze: async () => server.freeze(),
          thaw: async () => server.thaw(),
        };
      }
      // The owner of an earlier server may have been killed just now, and its keeper is about to stop it.
      const isTaken = server.log.includes('postmaster.pid') && performance.now() < impatient;
      if (isTaken) await new Promise((done) => setTimeout(done, 100));
      // Between our look and the server's start somebody else may have taken the port; anything else fails the same way each time.
      else if (attempt >= portAttempts) throw new Error(`PostgreSQL did not start:\n${server.log}`);
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

function settingsOf({ durable, settings }: PostgresClusterOptions): Record<string, string> {
  return {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: '200',
    ...(durable === true ? {} : { fsync: 'off', full_page_writes: 'off' }),
    ...settings,
  };
}

async function removeFolders(folders: readonly string[]): Promise<void> {
  for (const folder of folders) await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
}
