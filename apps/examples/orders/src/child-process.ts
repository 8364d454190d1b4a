// Starts a child process of the demo and knows how it ended.
import { fork, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { settingsEnvironment, type ChildMessage } from './child-side.js';
import { DemoError } from './command-line.js';

export interface ChildOptions {
  /** The child's file beside this one, without its ending. */
  readonly file: string;
  readonly settings: object;
  /** Where all that it says goes. */
  readonly logFile: string;
  /** What the child reports besides being ready. */
  readonly onReport?: ((report: unknown) => void) | undefined;
}

/** From its start to its end. */
export class Child<TReady> {
  /** What it said when it was ready. Rejects when it ends before. */
  readonly ready: Promise<TReady>;
  /** Resolves when it has ended. */
  readonly ended: Promise<void>;
  readonly #process: ChildProcess;

  constructor({ file, settings, logFile, onReport }: ChildOptions) {
    const path = fileURLToPath(new URL(`./${file}${extname(import.meta.url)}`, import.meta.url));
    const log = openSync(logFile, 'a');
    // The standard input is a pipe on which nothing is written: so it is not the terminal, and it ends with this process.
    this.#process = fork(path, { env: settingsEnvironment(settings), stdio: ['pipe', log, log, 'ipc'] });
    closeSync(log);
    this.ended = new Promise((resolve) => {
      this.#process.once('exit', () => resolve());
      this.#process.once('error', () => resolve());
    });
    const saidReady = new Promise<TReady>((resolve) => {
      this.#process.on('message', (message: ChildMessage) => {
        if ('ready' in message) resolve(message.ready as TReady);
        else onReport?.(message.report);
      });
    });
    this.ready = Promise.race([
      saidReady,
      this.ended.then(() => {
        throw new DemoError(`The ${file} ended (${this.#howItEnded()}) before it was ready; ${logFile} may say why.`);
      }),
    ]);
    this.ready.catch(() => undefined); // for who is not interested
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** Ends it at once, as a power failure would. */
  kill(): void {
    this.#process.kill('SIGKILL');
  }

  /** Lets it end in good order; resolves when it has. */
  async stop(): Promise<void> {
    if (this.#process.connected) this.#process.disconnect();
    await this.ended;
  }

  #howItEnded(): string {
    const { exitCode, signalCode } = this.#process;
    return signalCode ?? `code ${String(exitCode)}`;
  }
}
