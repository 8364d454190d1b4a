// Starts a process of a measurement's own, and talks with it.
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { extname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** So long a process may take until it says what is waited for, in milliseconds. */
const patienceMs = 60_000;

export class BenchProcess<TSaid> {
  readonly #child: ChildProcess;
  readonly #said: TSaid[] = [];
  /** Called when it has said something, or has ended. */
  readonly #listeners = new Set<() => void>();
  readonly #exited: Promise<unknown>;

  constructor(child: ChildProcess) {
    this.#child = child;
    child.on('message', (message) => {
      this.#said.push(message as TSaid);
      this.#tellListeners();
    });
    this.#exited = once(child, 'exit').then(() => this.#tellListeners());
  }

  /**
   * The first message that fits, of all that it has said or will say.
   * @throws Error when the process ends before it, or says nothing that fits for a minute.
   */
  async hear(fits: (message: TSaid) => boolean): Promise<TSaid> {
    let looked = 0;
    const look = (): TSaid | undefined => {
      while (looked < this.#said.length) {
        const message = this.#said[looked++]!;
        if (fits(message)) return message;
      }
      return undefined;
    };
    return await new Promise<TSaid>((resolve, reject) => {
      const settle = (then: () => void): void => {
        clearTimeout(timer);
        this.#listeners.delete(listener);
        then();
      };
      const listener = (): void => {
        const message = look();
        const end = this.#child.exitCode ?? this.#child.signalCode;
        if (message !== undefined) settle(() => resolve(message));
        else if (end !== null) settle(() => reject(new Error(`a process of the measurement ended (${end})`)));
      };
      const timer = setTimeout(() => {
        settle(() => reject(new Error(`a process of the measurement said nothing that was waited for, for ${patienceMs} ms`)));
      }, patienceMs);
      this.#listeners.add(listener);
      listener();
    });
  }

  /** Tells all that it says from now on. @returns ends that. */
  listen(listener: (message: TSaid) => void): () => void {
    const heard = (message: unknown): void => listener(message as TSaid);
    this.#child.on('message', heard);
    return () => void this.#child.off('message', heard);
  }

  tell(message: object): void {
    this.#child.send(message);
  }

  /** Undefined: it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Kills it, by SIGKILL; resolves when it is gone. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  #tellListeners(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

/** The programs, each a file of its own. */
const besideThis = { folder: fileURLToPath(new URL('.', import.meta.url)), extension: extname(import.meta.url) };
let programs = besideThis;

/** From now on they are started from a folder in which each stands as `NAME.mjs`, with all that it imports. For tests: to compile them takes as long as they do. */
export function startProcessesFrom(folder: string): void {
  programs = { folder, extension: '.mjs' };
}

/**
 * Starts a file of this folder, from source with a loader, where it was built as it is. It ends when this process does.
 * @param name of the file, without its extension.
 */
export function startProcess<TSaid>(name: string, args: readonly string[]): BenchProcess<TSaid> {
  const { folder, extension } = programs;
  const loader = (): string => pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  const { NODE_OPTIONS: _options, VITEST: _vitest, NODE_ENV: _mode, ...env } = process.env;
  const child = fork(join(folder, `${name}${extension}`), args, {
    execArgv: extension === '.ts' ? ['--conditions=@romancy/source', '--import', loader()] : [],
    env: { ...env, TSX_DISABLE_CACHE: '1' },
    // Times are integers that JSON does not have.
    serialization: 'advanced',
    // Compiled for tests, it takes the end of its standard input for the end of this process.
    stdio: ['pipe', 'ignore', 'inherit', 'ipc'],
  });
  return new BenchProcess<TSaid>(child);
}
