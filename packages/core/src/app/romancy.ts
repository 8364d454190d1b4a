// The app: puts storage, engine and scheduler together, and is what users call.
import type { Workflow } from '../authoring/define-workflow.js';
import type { PublishOptions, SendOptions } from '../authoring/messaging.js';
import type { CloudEventInput } from '../domain/cloud-event.js';
import { durationMs, type Duration } from '../domain/duration.js';
import { InstanceFinishedError, InstanceNotFoundError } from '../domain/errors.js';
import { checkName } from '../domain/ids.js';
import type { InstanceStatus } from '../domain/instance.js';
import type { Scheduler, SchedulerStatus } from '../scheduler/scheduler.js';
import { AppLife, type AppState } from './app-life.js';
import { AppMessages, type EventReceipt, type MessageReceipt } from './app-messages.js';
import { AppOutbox } from './app-outbox.js';
import { AppStarts, type StartOutcome } from './app-starts.js';
import {
  checkReason,
  checkStartMany,
  checkStartOptions,
  type StartManyOptions,
  type StartOptions,
  type WorkflowStart,
} from './call-arguments.js';
import { createScheduler } from './create-scheduler.js';
import { historyViewOf, toHistoryPage, type HistoryOptions, type HistoryView } from './history-view.js';
import { InstanceResults, type ResultRequest } from './instance-results.js';
import { viewOf, type InstanceView } from './instance-view.js';
import { cursorAfter, toListRequest, type ListOptions } from './list-query.js';
import { resolveOptions, type ResolvedOptions, type RomancyOptions } from './options.js';
import { WorkflowHandle, type HandleHost } from './workflow-handle.js';

/** One page of instances. */
export interface InstancePage {
  readonly instances: readonly InstanceView[];
  /** Give it to `list` for the next page; undefined: this was the last. */
  readonly cursor: string | undefined;
}

/**
 * What came of one of many starts. `existing`: the id was in use, and `onConflict: 'existing'` asked for the instance that is there. `failed`:
 * with what `startWorkflow` would have thrown; that one was not started, or, with a NotRunningError, nobody knows.
 */
export type StartResult<TOutput> =
  | { readonly outcome: 'started' | 'existing'; readonly instanceId: string; readonly handle: WorkflowHandle<TOutput> }
  | Extract<StartOutcome, { readonly outcome: 'failed' }>;

/** What an app tells of itself. */
export interface RomancyStatus extends SchedulerStatus {
  readonly state: AppState;
  readonly serviceName: string;
  readonly storage: string;
}

/**
 * One app in one process: `new`, `start`, use, `stop`. It serves the workflows it was given; any number of processes may serve the
 * same ones on the same database. While the storage is unavailable, `startWorkflow`, `cancel`, `sendEvent` and `result` try again until it
 * answers or `stop` comes; `get`, `list` and `status` of a handle reject with StorageUnavailableError.
 */
export class Romancy {
  readonly #options: ResolvedOptions;
  readonly #scheduler: Scheduler;
  readonly #handleHost: HandleHost;
  readonly #life: AppLife;
  readonly #results: InstanceResults;
  readonly #messages: AppMessages;
  readonly #starts: AppStarts;
  /** The events that workflows and activities have sent, for people to look after. */
  readonly outbox: AppOutbox;

  /** @throws ConfigurationError naming the option that is wrong. Nothing is connected or begun yet. */
  constructor(options: RomancyOptions) {
    this.#options = resolveOptions(options);
    const { storage, clock, codec } = this.#options;
    this.#scheduler = createScheduler(this.#options);
    this.#life = new AppLife(this.#options, this.#scheduler);
    this.#results = new InstanceResults({ storage, scheduler: this.#scheduler, clock, codec, stopSignal: this.#life.stopSignal });
    this.#messages = new AppMessages({
      storage,
      scheduler: this.#scheduler,
      outgoing: this.#options,
      clock,
      stopSignal: this.#life.stopSignal,
    });
    this.#starts = new AppStarts({ options: this.#options, scheduler: this.#scheduler, stopSignal: this.#life.stopSignal });
    this.outbox = new AppOutbox({
      storage,
      scheduler: this.#scheduler,
      codec,
      stopSignal: this.#life.stopSignal,
      running: (what) => this.#life.running(what),
    });
    this.#handleHost = {
      result: (instanceId, request) => this.#result(instanceId, request),
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
    await this.#life.start();
  }

  /**
   * Claims nothing more, lets activities under way end, hands its runs to other processes, releases everything. Resolves when done, at
   * the latest soon after `timeout` (default: option `shutdownTimeout`). May come twice, before start, and during start; the first
   * `timeout` counts.
   */
  async stop(options: { readonly timeout?: Duration } = {}): Promise<void> {
    const timeoutMs =
      options.timeout === undefined ? this.#options.shutdownTimeoutMs : durationMs(options.timeout, 'stop: timeout');
    await this.#life.stop(timeoutMs);
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
    const starting = this.#life.running('startWorkflow');
    if (starting !== undefined) await starting;
    checkStartOptions(options);
    return this.#handleOf<TOutput>(await this.#starts.one(workflow, input, options));
  }

  /**
   * Starts many instances of a workflow, up to a thousand in a commit; resolves when all that could be started are durable. Each is told
   * of for itself, in the order of the list: one that cannot be started does not keep back the others. They begin wherever there is room,
   * here too. After a crash, or a call that rejected, whole commits have taken effect or not: the same call again, with ids of your own
   * and `onConflict: 'existing'`, starts the rest.
   * @param starts not to be changed until this resolves. An id that comes twice is in use the second time.
   * @throws InvalidArgumentError, ConfigurationError, NotRunningError. Nothing was started then.
   */
  async startMany<TInput, TOutput, TGiven>(
    workflow: Workflow<TInput, TOutput, TGiven>,
    starts: readonly WorkflowStart<TGiven>[],
    options: StartManyOptions = {},
  ): Promise<readonly StartResult<TOutput>[]> {
    await this.#life.running('startMany');
    checkStartMany(starts, options);
    const outcomes = await this.#starts.many(workflow, starts, options);
    return outcomes.map((outcome) =>
      outcome.outcome === 'failed' ? outcome : { ...outcome, handle: this.#handleOf<TOutput>(outcome.instanceId) },
    );
  }

  /** A handle on an instance of any process. Whether it exists shows at the first question. @throws InvalidArgumentError */
  getHandle<TOutput = unknown>(instanceId: string): WorkflowHandle<TOutput> {
    checkName(instanceId, 'instanceId');
    return new WorkflowHandle<TOutput>(this.#handleHost, { instanceId, known: false });
  }

  /** The instance as it is now; undefined when there is none. @throws InvalidArgumentError for what can be no id. */
  async get(instanceId: string): Promise<InstanceView | undefined> {
    await this.#life.running('get');
    checkName(instanceId, 'instanceId');
    const record = await this.#options.storage.instances.get(instanceId);
    return record === undefined ? undefined : viewOf(record, this.#options.codec);
  }

  /** Instances, newest first, by pages that neither overlap nor skip while rows come. @throws InvalidArgumentError */
  async list(options: ListOptions = {}): Promise<InstancePage> {
    await this.#life.running('list');
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
    await this.#life.running('cancel');
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
   * Hands an event to the instances that wait for its type, or to the one it names, and starts the workflows that start on it. When this
   * resolves it is durable. The same `source` and `id` again: nothing is done.
   * @throws InvalidArgumentError, PayloadTooLargeError, PayloadNotSerializableError; InstanceNotFoundError, InstanceFinishedError when it is
   * for one instance.
   */
  async sendEvent(event: CloudEventInput): Promise<EventReceipt> {
    await this.#life.running('sendEvent');
    return await this.#messages.sendEvent(event);
  }

  /**
   * Sends to all who are subscribed to the channel, to one of them in a `competing` one, or to the members of a group. When this resolves it is
   * durable, and each of them gets it once.
   * @throws InvalidArgumentError, PayloadTooLargeError, PayloadNotSerializableError
   */
  async publish(channel: string, data: unknown, options?: PublishOptions): Promise<MessageReceipt> {
    await this.#life.running('publish');
    return await this.#messages.publish(channel, data, options);
  }

  /**
   * Sends to one instance, which keeps it until it has subscribed to the channel, in any mode, and calls `receive`.
   * @throws InstanceNotFoundError, InstanceFinishedError, InvalidArgumentError, PayloadTooLargeError, PayloadNotSerializableError
   */
  async sendTo(instanceId: string, channel: string, data: unknown, options?: SendOptions): Promise<MessageReceipt> {
    await this.#life.running('sendTo');
    return await this.#messages.sendTo({ instanceId, channel }, data, options);
  }

  /** The ids of the instances that are members of the group at this moment. */
  async groupMembers(group: string): Promise<readonly string[]> {
    await this.#life.running('groupMembers');
    checkName(group, 'group');
    return await this.#options.storage.messages.members(group);
  }

  /**
   * What an instance has done, in order, for people to read; of one that recurred, or begins anew, that part alone. At most 1,000 entries a page.
   * @param options `after`: the `seq` of the last entry of the page before.
   */
  async history(instanceId: string, options: HistoryOptions = {}): Promise<readonly HistoryView[]> {
    await this.#life.running('history');
    checkName(instanceId, 'instanceId');
    const entries = await this.#options.storage.instances.history({ instanceId, ...toHistoryPage(options) });
    return entries.map((entry) => historyViewOf(entry, this.#options.codec));
  }

  /** How this process does. Never fails, asks nobody. */
  status(): RomancyStatus {
    const { serviceName, storage } = this.#options;
    return { state: this.#life.state, serviceName, storage: storage.description, ...this.#scheduler.status() };
  }

  #handleOf<TOutput>(instanceId: string): WorkflowHandle<TOutput> {
    return new WorkflowHandle<TOutput>(this.#handleHost, { instanceId, known: true });
  }

  async #statusOf(instanceId: string): Promise<InstanceStatus> {
    await this.#life.running('status');
    const record = await this.#options.storage.instances.get(instanceId);
    if (record === undefined) throw new InstanceNotFoundError({ instanceId });
    return record.status;
  }

  /** Thousands are waited for at once: what only hands on makes no promise of its own. */
  #result(instanceId: string, request: ResultRequest): Promise<unknown> {
    const starting = this.#life.running('result');
    const wait = (): Promise<unknown> => this.#results.result(instanceId, request);
    return starting === undefined ? wait() : starting.then(wait);
  }

  /** Tries again while the storage is unavailable, until `stop`. */
  #keepTrying<T>(call: () => Promise<T>): Promise<T> {
    return this.#scheduler.health.keepTrying(call, this.#life.stopSignal);
  }
}
