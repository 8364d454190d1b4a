// Runs a TypeScript file as a process of its own and lets a test wait for what it says.
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterwards } from './afterwards.js';
import { tsxEnvironment, tsxLoader } from './tsx-loader.js';

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

interface Waiting {
  readonly predicate: (message: never) => boolean;
  readonly resolve: (message: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** A running fixture. Each line of JSON on its standard output is a message; other lines are only kept for error reports. */
export class FixtureProcess {
  readonly exited: Promise<Exit>;
  readonly #child: ChildProcess;
  readonly #name: string;
  readonly #unread: unknown[] = [];
  readonly #waiting = new Set<Waiting>();
  #output = '';
  #exit: Exit | undefined;

  constructor(child: ChildProcess, name: string) {
    this.#child = child;
    this.#name = name;
    if (child.stdout !== null)
      createInterface(child.stdout).on('line', (line) => {
        this.#onLine(line);
      });
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      this.#output += chunk;
    });
    this.exited = new Promise((resolve) => {
      // Not 'exit': by 'close' all that the process has said was read.
      child.once('close', (code, signal) => {
        this.#exit = { code, signal };
        for (const { reject } of this.#waiting) reject(this.#report('ended before the awaited message'));
        resolve(this.#exit);
      });
    });
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw this.#report('was never started');
    return this.#child.pid;
  }

  /** All that the process has written so far, both streams. */
  get output(): string {
    return this.#output;
  }

  /**
   * The first message that fits and that no earlier call was given, now or as soon as it comes. Throws, with all that the process has
   * said, after `timeout` milliseconds (default 15000) and as soon as the process has ended without it.
   */
  async message<T = Record<string, unknown>>(
    predicate: (message: T) => boolean = () => true,
    { timeout = 15_000 }: { readonly timeout?: number } = {},
  ): Promise<T> {
    const index = this.#unread.findIndex((message) => predicate(message as T));
    if (index !== -1) return this.#unread.splice(index, 1)[0] as T;
    if (this.#exit !== undefined) throw this.#report('ended without the awaited message');
    return await new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => {
        finish(() => {
          reject(this.#report(`did not say what was awaited within ${String(timeout)} ms`));
        });
      }, timeout);
      const finish = (settle: () => void): void => {
        clearTimeout(timer);
        this.#waiting.delete(waiting);
        settle();
      };
      const waiting: Waiting = {
        predicate,
        resolve: (message) => {
          finish(() => {
            resolve(message as T);
          });
        },
        reject: (error) => {
          finish(() => {
            reject(error);
          });
        },
      };
      this.#waiting.add(waiting);
    });
  }

  /** Sends a value, which the fixture receives by `process.on('message', …)`. */
  send(value: object): void {
    this.#child.send(value);
  }

  /** Sends a signal, by default the one that no process can answer; resolves when the process is gone, unless it survives it. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<Exit> {
    this.#child.kill(signal);
    return await this.exited;
  }

  #onLine(line: string): void {
    this.#output += `${line}\n`;
    const message = parse(line);
    if (message === undefined) return;
    for (const waiting of this.#waiting) {
      if (waiting.predicate(message as never)) {
        waiting.resolve(message);
        return;
      }
    }
    this.#unread.push(message);
  }

  #report(problem: string): Error {
    const exit =
      this.#exit === undefined ? 'still running' : `code ${String(this.#exit.code)}, signal ${String(this.#exit.signal)}`;
    return new Error(`${this.#name} ${problem} (${exit}). It said:\n${this.#output}`);
  }
}

/**
 * Starts a TypeScript file from source (`node --conditions=@romancy/source --import tsx FILE`), or what `compileFixture` made of one. It
 * is killed when the test ends, or the file when it was started outside of a test, and it does not survive the test process either.
 */
export function spawnFixture(
  file: string | URL,
  args: readonly string[] = [],
  env: Readonly<Record<string, string | undefined>> = {},
): FixtureProcess {
  const path = typeof file === 'string' && !file.startsWith('file:') ? file : fileURLToPath(file);
  const guard = new URL(`./fixture-guard${extname(import.meta.url)}`, import.meta.url).href;
  const isCompiled = extname(path) === '.mjs';
  const flags = isCompiled ? [] : ['--conditions=@romancy/source', '--import', tsxLoader(), '--import', guard];
  const child = spawn(process.execPath, [...flags, path, ...args], {
    env: { ...fixtureEnvironment(), ...tsxEnvironment, ...env },
    stdio: ['pipe', 'pipe', 'pipe', 'ipc'],
  });
  const fixture = new FixtureProcess(child, path);
  afterwards(async () => {
    await fixture.kill();
  });
  return fixture;
}

/** What the test runner has set for itself is none of the fixture's business. */
function fixtureEnvironment(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _options, VITEST: _vitest, NODE_ENV: _mode, ...rest } = process.env;
  return rest;
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return undefined;
  }
}
