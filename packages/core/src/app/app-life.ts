// The life of one app: new, starting, running, stopping, stopped; with its storage taken, opened and closed on the way.
import { NotRunningError, StorageUnavailableError } from '../domain/errors.js';
import type { Scheduler } from '../scheduler/scheduler.js';
import { guardedLogger } from './guarded.js';
import type { ResolvedOptions } from './options.js';
import { giveBackStorage, isTakenByOther, takeStorage } from './storage-users.js';

export type AppState = 'new' | 'starting' | 'running' | 'stopping' | 'stopped';

/** How long `start()` goes on trying to reach its storage before it rejects. */
const openTimeoutMs = 30_000;

/** A start that failed leads back to `new`, and may be tried again; nothing leads back from `stopping`. */
export class AppLife {
  readonly #options: ResolvedOptions;
  readonly #scheduler: Scheduler;
  #state: AppState = 'new';
  #starting: Promise<void> | null = null;
  #stopping: Promise<void> | null = null;
  readonly #stopRequested = new AbortController();

  constructor(options: ResolvedOptions, scheduler: Scheduler) {
    this.#options = options;
    this.#scheduler = scheduler;
  }

  get state(): AppState {
    return this.#state;
  }

  /** Aborts as soon as a stop is asked for. It lives as long as the app: who listens to it must cease to. */
  get stopSignal(): AbortSignal {
    return this.#stopRequested.signal;
  }

  /** As `start()` of the app. */
  async start(): Promise<void> {
    if (this.#state === 'stopping' || this.#state === 'stopped') {
      throw new NotRunningError('this app was stopped; make a new Romancy to start again');
    }
    if (this.#starting === null) {
      takeStorage(this.#options.storage, this);
      this.#starting = this.#start();
    }
    await this.#starting;
  }

  /** As `stop()` of the app. */
  async stop(timeoutMs: number): Promise<void> {
    this.#stopping ??= this.#stop(timeoutMs);
    await this.#stopping;
  }

  /** Undefined: it runs. While it starts, waits for that. @throws NotRunningError that names `what` was asked for */
  running(what: string): Promise<void> | undefined {
    return this.#state === 'running' ? undefined : this.#untilRunning(what);
  }

  async #untilRunning(what: string): Promise<void> {
    if (this.#state === 'starting') await this.#starting;
    if (this.#state !== 'running') {
      throw new NotRunningError(
        this.#state === 'new' ? `${what}: this app is not started; call start() first` : `${what}: this app is ${this.#state}`,
      );
    }
  }

  async #start(): Promise<void> {
    this.#state = 'starting';
    const { storage, clock } = this.#options;
    const deadline = new AbortController();
    const late = new StorageUnavailableError(`${storage.description} could not be reached within ${openTimeoutMs / 1000} s`);
    const cancel = clock.schedule(openTimeoutMs, () => deadline.abort(late), { keepAlive: true });
    const giveUp = AbortSignal.any([deadline.signal, this.#stopRequested.signal]);
    const context = { clock, logger: guardedLogger(this.#options.logger), notesOf: this.#options.notifier?.notesOf };
    try {
      await this.#scheduler.health.keepTrying(async () => {
        try {
          await storage.open(context);
        } catch (error) {
          late.cause = error;
          throw error;
        }
      }, giveUp);
      this.#stopRequested.signal.throwIfAborted();
      await this.#scheduler.start(giveUp);
      if (this.#state === 'starting') this.#state = 'running';
    } catch (error) {
      if (this.#state === 'starting') {
        this.#state = 'new';
        this.#starting = null;
      }
      await this.#closeStorage();
      throw error;
    } finally {
      cancel();
    }
  }

  async #stop(timeoutMs: number): Promise<void> {
    const wasStarted = this.#starting !== null;
    this.#state = 'stopping';
    this.#stopRequested.abort(new NotRunningError('this app was stopped'));
    if (wasStarted) {
      const isUp = await this.#starting!.then(
        () => true,
        () => false,
      );
      if (isUp) await this.#scheduler.stop(timeoutMs);
    }
    await this.#closeStorage();
    this.#state = 'stopped';
  }

  async #closeStorage(): Promise<void> {
    const { storage } = this.#options;
    // An app that was never started has nothing to close, and must not take it from one that was.
    if (isTakenByOther(storage, this)) return;
    await storage.close();
    giveBackStorage(storage, this);
  }
}
