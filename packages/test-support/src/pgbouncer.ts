// Starts a PgBouncer before a database, where the machine has one, and reloads and restarts it as its administrator does.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterwards } from './afterwards.js';
import { collect } from './collect-output.js';
import { eventually } from './eventually.js';
import { freePort } from './free-port.js';
import { temporaryDirectory } from './temporary.js';

const program = process.env['ROMANCY_TEST_PGBOUNCER'] ?? 'pgbouncer';

/** Whether there is a PgBouncer to start: on the path, or where ROMANCY_TEST_PGBOUNCER says. */
export const hasPgBouncer = spawnSync(program, ['--version']).status === 0;

export interface PgBouncerOptions {
  /** `transaction`: the server's session is others' as soon as a transaction is over; `session`: when the client has gone. */
  readonly poolMode: 'transaction' | 'session';
  /** How many sessions of the server it opens at most. */
  readonly poolSize: number;
}

export class PgBouncer {
  readonly #url: URL;
  readonly #folder: string;
  readonly #port: number;
  #options: PgBouncerOptions;
  #process: ChildProcess | undefined;

  constructor(
    url: string,
    { folder, port, options }: { readonly folder: string; readonly port: number; readonly options: PgBouncerOptions },
  ) {
    this.#url = new URL(url);
    this.#folder = folder;
    this.#port = port;
    this.#options = options;
  }

  /** The database's connection string, leading through this PgBouncer. */
  get url(): string {
    const bounced = new URL(this.#url);
    bounced.hostname = '127.0.0.1';
    bounced.port = String(this.#port);
    return bounced.href;
  }

  /** Resolves when it accepts connections. */
  async start(): Promise<void> {
    await this.#write();
    // It refuses to run as root, and its user must be able to read this.
    await chmod(this.#folder, 0o755);
    const asUser = process.getuid?.() === 0 ? ['-u', 'nobody'] : [];
    const child = spawn(program, [...asUser, this.#file('pgbouncer.ini')], { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#process = child;
    const log = collect(child);
    await eventually(() => {
      if (child.exitCode !== null) throw new Error(`PgBouncer did not start:\n${log()}`);
      return this.#answers();
    });
  }

  /** Reads its configuration again (RELOAD), with other options where some are given. */
  async reload(options: Partial<PgBouncerOptions> = {}): Promise<void> {
    this.#options = { ...this.#options, ...options };
    await this.#write();
    this.#process?.kill('SIGHUP');
  }

  /** Ends at once, with all connections; may come twice. */
  async stop(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  /** Ends at once and starts again at the same address. */
  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async #write(): Promise<void> {
    const { username, password, hostname, port, pathname } = this.#url;
    const name = decodeURIComponent(pathname.slice(1));
    await writeFile(this.#file('users.txt'), `"${decodeURIComponent(username)}" "${decodeURIComponent(password)}"\n`);
    await writeFile(
      this.#file('pgbouncer.ini'),
      [
        '[databases]',
        `${name} = host=${hostname} port=${port} dbname=${name}`,
        '[pgbouncer]',
        'listen_addr = 127.0.0.1',
        `listen_port = ${String(this.#port)}`,
        'unix_socket_dir =',
        'auth_type = trust',
        `auth_file = ${this.#file('users.txt')}`,
        `pool_mode = ${this.#options.poolMode}`,
        'max_client_conn = 500',
        `default_pool_size = ${String(this.#options.poolSize)}`,
      ].join('\n'),
    );
  }

  #file(name: string): string {
    return join(this.#folder, name);
  }

  #answers(): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = connect(this.#port, '127.0.0.1', () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => resolve(false));
    });
  }
}

/** One before the database of this connection string. It ends after the test, or after the file. */
export async function startPgBouncer(url: string, options: PgBouncerOptions): Promise<PgBouncer> {
  const bouncer = new PgBouncer(url, { folder: await temporaryDirectory(), port: await freePort(), options });
  afterwards(() => bouncer.stop());
  await bouncer.start();
  return bouncer;
}
