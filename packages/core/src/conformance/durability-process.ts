// One worker process as tests handle it: asks, waits for what it says, kills, freezes.
import type { RomancyStatus } from '../index.js';
import type { Drive, Outcome, WorkerCommand, WorkerMessage } from './durability-plan.js';
import type { WorkerProcess } from './durability-fixture.js';

type Said<Kind extends WorkerMessage['kind']> = Extract<WorkerMessage, { readonly kind: Kind }>;
type Command = WorkerCommand extends infer Each ? (Each extends { readonly ask: number } ? Omit<Each, 'ask'> : never) : never;

/** Starting a process takes a second or two on a busy machine, ten at once take ten times as long. */
const patienceMs = 60_000;

export class DurabilityProcess {
  readonly #process: WorkerProcess;
  #asked = 0;
  #workerId: string | undefined;
  #crashed = false;

  constructor(process: WorkerProcess) {
    this.#process = process;
    void process.exited.then(({ code }) => {
      this.#crashed = code !== null && code !== 0;
    });
  }

  /** Whether it ended by an error of its own. Nothing that is done to a worker may do that. */
  get crashed(): boolean {
    return this.#crashed;
  }

  get pid(): number {
    return this.#process.pid;
  }

  get output(): string {
    return this.#process.output;
  }

  get exited(): WorkerProcess['exited'] {
    return this.#process.exited;
  }

  /** The identity under which it registered first. Known once it is ready. */
  get workerId(): string {
    if (this.#workerId === undefined) throw new Error('this process is not ready');
    return this.#workerId;
  }

  /** Resolves when it is about to start its app. */
  async starting(): Promise<void> {
    await this.#said('starting', () => true);
  }

  /** Resolves when its app runs. */
  async ready(): Promise<void> {
    const { workerId } = await this.#said('ready', () => true);
    this.#workerId = workerId;
  }

  /** What came of the many starts of its plan. */
  async startedMany(): Promise<Readonly<Record<string, number>>> {
    return (await this.#said('started-many', () => true)).outcomes;
  }

  /** How a drive of its plan ended; undefined when the process ended before. */
  async driven(instanceId: string): Promise<Outcome | undefined> {
    try {
      return (await this.#said('driven', (message) => message.instanceId === instanceId)).outcome;
    } catch (error) {
      const { code, signal } = await this.exited;
      if (signal === 'SIGKILL') return undefined;
      throw new Error(`process ${this.pid} ended by itself with ${code}`, { cause: error });
    }
  }

  /** Starts the instance, or finds it, and waits for its end. */
  async drive(drive: Drive): Promise<Outcome> {
    return (await this.#ask({ command: 'drive', drive })) as Outcome;
  }

  /** Resolves when the instances are started, or were found. */
  async start(drives: readonly Drive[]): Promise<void> {
    await this.#ask({ command: 'start', drives });
  }

  async status(): Promise<RomancyStatus> {
    return (await this.#ask({ command: 'status' })) as RomancyStatus;
  }

  /** Has it stop its app and end by itself. @returns how long the stop took, in milliseconds */
  async stop(options: { readonly timeoutMs?: number; readonly times?: number } = {}): Promise<number> {
    const took = await this.#ask({ command: 'stop', timeoutMs: options.timeoutMs ?? 30_000, times: options.times ?? 1 });
    const { code, signal } = await this.exited;
    if (code !== 0) throw new Error(`process ${this.pid} ended with code ${code}, signal ${signal}:\n${this.output}`);
    return took as number;
  }

  /** Its log lines of that level, or of that message. */
  logs(filter: { readonly levels?: readonly string[]; readonly message?: RegExp } = {}): Said<'log'>[] {
    const { levels, message = /(?:)/ } = filter;
    const lines = this.output.split('\n').filter((line) => line.startsWith('{"kind":"log"') && line.endsWith('}'));
    return lines
      .map((line) => JSON.parse(line) as Said<'log'>)
      .filter((line) => (levels === undefined || levels.includes(line.level)) && message.test(line.message));
  }

  /** Resolves as soon as it has logged such a message. */
  async logged(message: RegExp): Promise<void> {
    await this.#said('log', (line) => message.test(line.message));
  }

  /** Holds it still: it does not know, and nothing of it ends. */
  freeze(): void {
    process.kill(this.pid, 'SIGSTOP');
  }

  thaw(): void {
    process.kill(this.pid, 'SIGCONT');
  }

  async kill(): Promise<void> {
    await this.#process.kill('SIGKILL');
  }

  async #ask(command: Command): Promise<unknown> {
    const ask = ++this.#asked;
    this.#process.send({ ask, ...command });
    return (await this.#said('answer', (answer) => answer.ask === ask)).value;
  }

  #said<Kind extends WorkerMessage['kind']>(kind: Kind, fits: (message: Said<Kind>) => boolean): Promise<Said<Kind>> {
    return this.#process.message<Said<Kind>>((message) => message.kind === kind && fits(message), { timeout: patienceMs });
  }
}
