// The app: puts storage, engine and scheduler together, and is what users call.
import type { AnyWorkflow, Workflow } from '../authoring/define-workflow.js';
import { validate } from '../authoring/standard-schema.js';
import type { CloudEventInput } from '../domain/cloud-event.js';
import { durationMs, timeLimitMs, type Duration } from '../domain/duration.js';
import {
  ConfigurationError,
  InstanceConflictError,
  InstanceFinishedError,
  InstanceNotFoundError,
  NotRunningError,
  ResultTimeoutError,
  StorageUnavailableError,
  WorkflowCancelledError,
  WorkflowFailedError,
} from '../domain/errors.js';
import { checkName, timeOrderedUuid } from '../domain/ids.js';
import { isFinal, type InstanceStatus } from '../domain/instance.js';
import { encodePayload } from '../engine/payload.js';
import type { FinishedInstance } from '../ports/instance-store.js';
import { onAbort } from '../scheduler/on-abort.js';
import { Scheduler, type SchedulerStatus } from '../scheduler/scheduler.js';
import { checkReason, checkStartOptions, type StartOptions } from './call-arguments.js';
import { toEvent } from './event-input.js';
import { guardedHooks, guardedLogger } from './guarded.js';
import { viewOf, type InstanceView } from './instance-view.js';
import { cursorAfter, toListRequest, type ListOptions } from './list-query.js';
import { resolveOptions, type ResolvedOptions, type RomancyOptions } from './options.js';
import { giveBackStorage, isTakenByOther, takeStorage } from './storage-users.js';
import { WorkflowHandle, type HandleHost } from './workflow-handle.js';

/** One page of instances. */
export interface InstancePage {
  readonly instances: readonly InstanceView[];
  /** Give it to `list` for the next page; undefined: this was the last. */
  readonly cursor: string | undefined;
}

/** What an app tells of itself. */
export interface RomancyStatus extends SchedulerStatus {
  readonly state: AppState;
  readonly serviceName: string;
  readonly storage: string;
}

export type AppState = 'new' | 'starting' | 'running' | 'stopping' | 'stopped';

/** How long `start()` goes on trying to reach its storage before it rejects. */
const openTimeoutMs = 30_000;
/** How many history entries come with a claim, and in each further page. */
const historyLimit = 1000;
/** How long a stalled instance rests before somebody tries it again. */
const stallRetryMs = 60_000;

/**
 * One app in one process: `new`, `start`, use, `stop`. It serves the workflows it was given; any number of processes may serve the
 * same ones on the same database. While the storage is unavailable, `startWorkflow`, `cancel`, `sendEvent` and `result` try again until it
 * answers or `stop` comes; `get`, `list` and `status` of a handle reject with StorageUnavailableError.
 */
export class Romancy {
  readonly #options: ResolvedOptions;
  readonly #scheduler: Scheduler;
  readonly #handleHost: HandleHost;
  #state: AppState = 'new';
  #starting: Promise<void> | null = null;
  #stopping: Promise<void> | null = null;
  readonly #stopRequested = new AbortController();

  /** @throws ConfigurationError naming the option that is wrong. Nothing is connected or begun yet. */
  constructor(options: RomancyOptions) {
    this.#options = resolveOptions(options);
    const { storage, notifier, workflows, clock, entropy, codec, hooks } = this.#options;
    const logger = guardedLogger(this.#options.logger);
    this.#scheduler = new Scheduler({
      storage,
      notifier,
      workflows,
      options: {
        newWorkerId: this.#options.newWorkerId,
        serviceName: this.#options.serviceName,
        concurrency: this.#options.concurrency,
        leaseMs: this.#options.leaseMs,
        renewalMs: this.#options.leaseMs / 3,
        pace: this.#options,
        claimBatchSize: this.#options.claimBatchSize,
        historyLimit,
      },
      services: {
        codec,
        clock,
        entropy,
        logger,
        hooks: guardedHooks(hooks, logger),
        retry: this.#options.retry,
        maxPayloadBytes: this.#options.maxPayloadBytes,
        mailLimit: this.#options.mailLimit,
        stallRetryMs,
      },
    });
    this.#handleHost = {
      result: (instanceId, resultOptions) => this.#result(instanceId, resultOptions),
      statusOf: (instanceId) => this.#statusOf(instanceId),
      cancel: (instanceId, reason) => this.cancel(instanceId, reason),
    };
  }

  /**
   * Opens the storage (and brings its schema up to date), joins as a worker and begins to run. Again while starting or running: no more
   * than the wait for that. Tries for 30 s when the database cannot be reached.
   * @throws StorageUnavailableError, SchemaVersionError; ConfigurationError while another app uses the storage object;
   * NotRunningError after `stop`.
   */
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

  /**
   * Claims nothing more, lets activities under way end, hands its runs to other processes, releases everything. Resolves when done, at
   * the latest soon after `timeout` (default: option `shutdownTimeout`). May come twice, before start, and during start; the first
   * `timeout` counts.
   */
  async stop(options: { readonly timeout?: Duration } = {}): Promise<void> {
    const timeoutMs =
      options.timeout === undefined ? this.#options.shutdownTimeoutMs : durationMs(options.timeout, 'stop: timeout');
    this.#stopping ??= this.#stop(timeoutMs);
    await this.#stopping;
  }

  /**
   * Writes down a new instance and gives its handle once that is durable. It begins here when there is room, else wherever there is.
   * @throws InstanceConflictError, InvalidArgumentError, ConfigurationError, ValidationError, PayloadTooLargeError,
   * PayloadNotSerializableError, NotRunningError. Nothing was started then.
   */
  async startWorkflow<TInput, TOutput, TGiven>(
    workflow: Workflow<TInput, TOutput, TGiven>,
    ...rest: undefined extends TGiven ? [input?: TGiven, options?: StartOptions] : [input: TGiven, options?: StartOptions]
  ): Promise<WorkflowHandle<TOutput>> {
    const [input, options = {}] = rest as [TGiven, StartOptions?];
    await this.#running('startWorkflow');
    checkStartOptions(options);
    const { clock, entropy } = this.#options;
    const instanceId = options.instanceId ?? timeOrderedUuid(clock.now(), entropy.uuid());
    this.#checkDefinition(workflow);
    const schema = workflow.options.input;
    const valid: unknown = schema === undefined ? input : await validate(schema, input, `input of workflow ${workflow.name}`);
    const outcome = await this.#scheduler.startInstance({
      instanceId,
      workflowName: workflow.name,
      input: encodePayload(valid, `the input of workflow ${workflow.name}`, this.#options),
      // Of an id that was made here, nobody else starts an instance.
      startToken: options.instanceId === undefined ? instanceId : entropy.uuid(),
    });
    if (outcome === 'conflict') await this.#checkConflict(instanceId, workflow.name, options);
    return new WorkflowHandle<TOutput>(this.#handleHost, { instanceId, known: true });
  }

  /** A handle on an instance of any process. Whether it exists shows at the first question. @throws InvalidArgumentError */
  getHandle<TOutput = unknown>(instanceId: string): WorkflowHandle<TOutput> {
    checkName(instanceId, 'instanceId');
    return new WorkflowHandle<TOutput>(this.#handleHost, { instanceId, known: false });
  }

  /** The instance as it is now; undefined when there is none. @throws InvalidArgumentError for what can be no id. */
  async get(instanceId: string): Promise<InstanceView | undefined> {
    await this.#running('get');
    checkName(instanceId, 'instanceId');
    const record = await this.#options.storage.instances.get(instanceId);
    return record === undefined ? undefined : viewOf(record, this.#options.codec);
  }

  /** Instances, newest first, by pages that neither overlap nor skip while rows come. @throws InvalidArgumentError */
  async list(options: ListOptions = {}): Promise<InstancePage> {
    await this.#running('list');
    const request = toListRequest(options);
    // One row more than asked for tells whether another page follows.
    const records = await this.#options.storage.instances.list({ ...request, limit: request.limit + 1 });
    const page = records.slice(0, request.limit);
    const last = page.at(-1);
    return {
      instances: page.map((record) => viewOf(record, this.#options.codec)),
      cursor: records.length > request.limit && last !== undefined ? cursorAfter(last) : undefined,
    };
  }

  /**
   * Ends an instance wherever it is. When this resolves the request is durable: the status becomes `cancelled` as soon as a process
   * that serves its workflow sees it, and it can no longer complete. Again: no effect, the first reason stays.
   * @param reason at most 10,000 characters; `WorkflowCancelledError` carries it.
   * @throws InstanceNotFoundError, InstanceFinishedError, InvalidArgumentError
   */
  async cancel(instanceId: string, reason?: string): Promise<void> {
    await this.#running('cancel');
    checkName(instanceId, 'instanceId');
    checkReason(reason);
    const { outcome, status, wakeups } = await this.#keepTrying(() =>
      this.#options.storage.instances.requestCancel({ instanceId, reason: reason ?? null }),
    );
    if (outcome === 'unknown') throw new InstanceNotFoundError({ instanceId });
    // Asked for before and ended so: what the caller wants is the case.
    if (outcome === 'finished' && status !== 'cancelled')
      throw new InstanceFinishedError({ instanceId, status: status ?? 'ended' });
    this.#scheduler.tell(wakeups);
    this.#scheduler.attend(instanceId);
  }

  /**
   * Hands an event to the instances that wait for its type, or to the one it names. When this resolves it is durable.
   * @returns how many instances get it; `duplicate` when the same `source` and `id` came before (nothing is done then).
   * @throws InstanceNotFoundError, InstanceFinishedError when it is for one instance.
   */
  async sendEvent(
    event: CloudEventInput,
  ): Promise<{ readonly eventId: string; readonly duplicate: boolean; readonly receivers: number }> {
    await this.#running('sendEvent');
    const made = toEvent(event, this.#options);
    const { outcome, receivers, wakeups } = await this.#keepTrying(() => this.#options.storage.instances.deliver(made));
    const instanceId = made.targetInstanceId ?? '';
    if (outcome === 'unknown') throw new InstanceNotFoundError({ instanceId });
    if (outcome === 'finished') {
      const status = (await this.#keepTrying(() => this.#options.storage.instances.get(instanceId)))?.status ?? 'ended';
      throw new InstanceFinishedError({ instanceId, status });
    }
    this.#scheduler.tell(wakeups);
    return { eventId: made.eventId, duplicate: outcome === 'duplicate', receivers };
  }

  /** How this process does. Never fails, asks nobody. */
  status(): RomancyStatus {
    const { serviceName, storage } = this.#options;
    return { state: this.#state, serviceName, storage: storage.description, ...this.#scheduler.status() };
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

  /** Undefined: it runs. @throws NotRunningError */
  #running(what: string): Promise<void> | undefined {
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

  async #checkConflict(instanceId: string, workflowName: string, { onConflict }: StartOptions): Promise<void> {
    if (onConflict !== 'existing') throw new InstanceConflictError({ instanceId });
    const there = await this.#keepTrying(() => this.#options.storage.instances.get(instanceId));
    // Its handle would promise the output of a workflow that it is not.
    if (there !== undefined && there.workflowName !== workflowName) {
      throw new InstanceConflictError({ instanceId, workflowName: there.workflowName });
    }
  }

  #checkDefinition(workflow: AnyWorkflow): void {
    if (workflow?.type !== 'workflow') {
      throw new ConfigurationError('startWorkflow takes what defineWorkflow returned', { option: 'workflow' });
    }
    const own = this.#options.workflows.get(workflow.name);
    if (own !== undefined && own !== workflow) {
      throw new ConfigurationError(
        `workflow ${JSON.stringify(workflow.name)} is served by this app with another definition than the one given; pass that one`,
        { option: 'workflow' },
      );
    }
  }

  async #statusOf(instanceId: string): Promise<InstanceStatus> {
    await this.#running('status');
    const record = await this.#options.storage.instances.get(instanceId);
    if (record === undefined) throw new InstanceNotFoundError({ instanceId });
    return record.status;
  }

  /** Tries again while the storage is unavailable, until `signal` aborts: by default, until `stop`. */
  #keepTrying<T>(call: () => Promise<T>, signal: AbortSignal = this.#stopRequested.signal): Promise<T> {
    return this.#scheduler.health.keepTrying(call, signal);
  }

  async #result(
    instanceId: string,
    { timeout, known }: { readonly timeout: Duration | undefined; readonly known: boolean },
  ): Promise<unknown> {
    await this.#running('result');
    const timeoutMs = timeout === undefined ? null : timeLimitMs(timeout, 'result: timeout');
    if (timeoutMs === null) return await this.#end(instanceId, known);
    const giveUp = new AbortController();
    const expire = (): void => giveUp.abort(new ResultTimeoutError({ instanceId, timeoutMs }));
    const cancel = this.#options.clock.schedule(timeoutMs, expire, { keepAlive: true });
    // Not AbortSignal.any: the signal of the stop, which lives as long as the app, would keep each one that was made of it.
    const stopped = this.#stopRequested.signal;
    const forget = onAbort(stopped, () => giveUp.abort(stopped.reason));
    try {
      return await this.#end(instanceId, known, giveUp.signal);
    } finally {
      cancel();
      forget();
    }
  }

  async #end(instanceId: string, known: boolean, signal?: AbortSignal): Promise<unknown> {
    // What runs here is there. Anything else may have been deleted, also what this app has started: nobody would ever tell of its end.
    if (!known || !this.#scheduler.runs(instanceId)) {
      const record = await this.#keepTrying(() => this.#options.storage.instances.get(instanceId), signal);
      if (record === undefined) throw new InstanceNotFoundError({ instanceId });
      const { status, output, error, cancelReason } = record;
      if (isFinal(status)) return this.#outcome({ instanceId, status, output, error, cancelReason });
    }
    return this.#outcome(await this.#scheduler.watcher.wait(instanceId, signal));
  }

  #outcome(finished: FinishedInstance): unknown {
    const { instanceId, output, error, cancelReason } = finished;
    const status: InstanceStatus = finished.status;
    if (status === 'completed') return this.#options.codec.decode(output!);
    if (status === 'cancelled') throw new WorkflowCancelledError({ instanceId, reason: cancelReason });
    throw new WorkflowFailedError({ instanceId, cause: this.#options.codec.decode(error!) });
  }
}
