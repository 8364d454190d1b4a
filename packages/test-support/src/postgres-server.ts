// Runs the server of a PostgreSQL cluster, and ends, kills and freezes it as the world does.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { collect } from './collect-output.js';
import { childrenOf } from './process-tree.js';
import { type Cluster, serverEnvironment } from './postgres-data.js';

/**
 * `fast` rolls back what is open and ends in order; `immediate` drops everything, and the next start recovers as after a crash; `kill` takes
 * the first process of the server away without a word, and the others go when they notice.
 */
export type ShutdownMode = 'fast' | 'immediate' | 'kill';

export interface ServerOrder extends Cluster {
  readonly data: string;
  readonly port: number;
  /** By their names in postgresql.conf. */
  readonly settings: Readonly<Record<string, string>>;
}

/** A standby says that it is ready for reading. */
const isReady = /ready to accept (read[- ]only )?connections/;
const signals: Readonly<Record<ShutdownMode, NodeJS.Signals>> = { fast: 'SIGINT', immediate: 'SIGQUIT', kill: 'SIGKILL' };

export class PostgresServer {
  readonly #order: ServerOrder;
  #process: ChildProcess | undefined;
  #log: () => string = () => '';
  #frozen: readonly number[] = [];

  constructor(order: ServerOrder) {
    this.#order = order;
  }

  /** The last of what the server has said since its start. */
  get log(): string {
    return this.#log();
  }

  get #runs(): boolean {
    return this.#process !== undefined && this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** Resolves with true once connections are accepted, and with false when the process ended before. */
  async start(): Promise<boolean> {
    const { binaries, folder, identity, data, port, settings } = this.#order;
    const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const server = spawn(binaries.postgres, ['-D', data, '-p', String(port), ...flags], {
      ...identity,
      cwd: folder,
      env: serverEnvironment(),
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#process = server;
    this.#log = collect(server);
    return await new Promise<boolean>((resolve, reject) => {
      server.stderr.on('data', () => {
        if (isReady.test(this.log)) resolve(true);
      });
      server.once('error', reject);
      server.once('close', () => {
        resolve(false);
      });
    });
  }

  /** Resolves when the first process has ended; at once when there is none. */
  async shutDown(mode: ShutdownMode): Promise<void> {
    this.thaw();
    const server = this.#process;
    if (server === undefined || !this.#runs) return;
    const ended = once(server, 'exit');
    server.kill(signals[mode]);
    const impatient = setTimeout(() => server.kill('SIGQUIT'), 10_000);
    await ended;
    clearTimeout(impatient);
  }

  /** Starts it again where it was; resolves when connections are accepted. */
  async startAgain(): Promise<void> {
    if (this.#runs) throw new Error('The server runs');
    const impatient = performance.now() + 20_000;
    // The processes that a killed server has left behind hold its memory until they have noticed.
    while (!(await this.start())) {
      if (performance.now() > impatient) throw new Error(`PostgreSQL did not start again:\n${this.log}`);
      await new Promise((done) => setTimeout(done, 50));
    }
  }

  /** Stops all of its processes where they are: nothing answers, nothing ends. On Linux only. */
  freeze(): void {
    const first = this.#process?.pid;
    if (first === undefined) throw new Error('The server does not run');
    // The first process before its children, so that it makes no further ones.
    process.kill(first, 'SIGSTOP');
    this.#frozen = [first, ...childrenOf(first)];
    for (const pid of this.#frozen) signal(pid, 'SIGSTOP');
  }

  /** They go on. */
  thaw(): void {
    for (const pid of this.#frozen) signal(pid, 'SIGCONT');
    this.#frozen = [];
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended.
  }
}
