// The loops of one app put together: session, work finder, lease keeper, result watcher, notifier.
import type { AnyWorkflow } from '../authoring/define-workflow.js';
import { LeaseLostError, NotRunningError, StorageUnavailableError } from '../domain/errors.js';
import type { Wakeup } from '../domain/wakeup.js';
import type { RunServices } from '../engine/run-services.js';
import type { Notifier } from '../ports/notifier.js';
import type { NewInstance } from '../ports/run-store.js';
import type { Storage } from '../ports/storage.js';
import { BusySignal } from './busy-signal.js';
import { LeaseKeeper } from './lease-keeper.js';
import { NotifierLink } from './notifier-link.js';
import type { NotifierView } from './notifier-watch.js';
import type { PaceOptions } from './polling-pace.js';
import { ResultWatcher } from './result-watcher.js';
import { StorageHealth } from './storage-health.js';
import { StorageClock } from './storage-time.js';
import { WakeupHub } from './wakeup-hub.js';
import { WorkFinder } from './work-finder.js';
import { WorkerSession, type StartOutcome } from './worker-session.js';

/** How long a stop waits for its lease to be removed, beyond all that it was told to wait. */
const retireMs = 2000;

export interface SchedulerOptions {
  /** An identity for each session: nobody must take it for a worker that was there before. */
  readonly newWorkerId: () => string;
  readonly serviceName: string;
  readonly concurrency: number;
  readonly leaseMs: number;
  /** How often the lease is renewed, in milliseconds. */
  readonly renewalMs: number;
  readonly pace: PaceOptions;
  readonly claimBatchSize: number;
  readonly historyLimit: number;
}

export interface SchedulerParts {
  readonly storage: Storage;
  readonly notifier: Notifier | null;
  readonly workflows: ReadonlyMap<string, AnyWorkflow>;
  readonly options: SchedulerOptions;
  readonly services: Omit<RunServices, 'workerId' | 'progress' | 'reader' | 'storageTime' | 'transactions' | 'storageKind'>;
}

/** What can be seen of a scheduler from outside. */
export interface SchedulerStatus {
  readonly workerId: string;
  readonly running: number;
  readonly storageAvailable: boolean;
  readonly pollIntervalMs: number;
  /** Null: no notifier is plugged in, or it is not wanted. */
  readonly notifier: NotifierView | null;
  readonly commits: number;
  readonly claims: number;
}

export class Scheduler {
  readonly hub = new WakeupHub();
  readonly health: StorageHealth;
  readonly watcher: ResultWatcher;
  readonly #parts: SchedulerParts;
  readonly #storageClock: StorageClock;
  readonly #finder: WorkFinder;
  readonly #leases: LeaseKeeper;
  readonly #link: NotifierLink | null;
  readonly #busy: BusySignal;
  readonly #abort = new AbortController();
  #workerId: string;
  #session: WorkerSession | null = null;
  #joining: Promise<void> | null = null;
  #earlierCommits = 0;

  constructor(parts: SchedulerParts) {
    this.#parts = parts;
    const { storage, options, services } = parts;
    const { clock, entropy, logger } = services;
    this.#workerId = options.newWorkerId();
    this.#storageClock = new StorageClock(clock);
    this.health = new StorageHealth({ clock, entropy, logger, description: storage.description });
    this.watcher = new ResultWatcher({
      instances: storage.instances,
      health: this.health,
      clock,
      hub: this.hub,
      longestDelayMs: () => this.#longestResultDelayMs(),
      runsHere: (instanceId) => this.runs(instanceId),
    });
    this.#finder = new WorkFinder({
      runs: storage.runs,
      workflowNames: [...parts.workflows.keys()],
      health: this.health,
      storageClock: this.#storageClock,
      clock,
      entropy,
      logger,
      pace: options.pace,
      batchSize: options.claimBatchSize,
      historyLimit: options.historyLimit,
      mailLimit: services.mailLimit,
      claimant: () => this.#session,
      onClaimed: (outcome) => this.#link?.claimed(outcome),
    });
    this.#leases = new LeaseKeeper({
      leases: storage.leases,
      leaseMs: options.leaseMs,
      renewalMs: options.renewalMs,
      // With a short lease, looking seldom would be most of the time until somebody takes over.
      lookMs: Math.min(storage.reapIntervalMs, options.renewalMs),
      workflowNames: [...parts.workflows.keys()],
      health: this.health,
      storageClock: this.#storageClock,
      clock,
      entropy,
      logger,
      workerId: () => this.#session?.workerId ?? null,
      presence: () => this.#link?.presence ?? null,
      // An upkeep of the identity before may be answered when the next one has joined already: that one is not meant.
      onLeaseLost: (error) => {
        if (this.#session?.workerId === error.workerId) this.#session.leaseLost(error);
      },
      // Others are told as well: there may be more than this process has room for.
      onReleased: (wakeups) => this.#tellAll(wakeups),
      onWork: (work, now) => {
        this.#link?.foundAttention(work.attention);
        this.#finder.heardOfWork(work, now);
      },
    });
    this.#link = parts.notifier === null ? null : this.#createLink(parts.notifier);
    this.#busy = new BusySignal({
      clock,
      isBusy: () => this.#runningCount > 0,
      tell: () => this.#link?.tellBusy(this.#workerId),
    });
    this.hub.on('busy', () => this.#busy.began());
    this.hub.on('room', () => this.#finder.roomFreed());
    this.hub.on('wakeups', (wakeups, from) => (from === 'here' ? this.#actOn(wakeups) : this.#link?.heard(wakeups)));
  }

  /** Registers the worker and begins. Rejects when the storage refuses for a reason that does not pass, or `signal` aborts. */
  async start(signal: AbortSignal): Promise<void> {
    await this.#join(signal);
    this.#leases.start();
    // Who else is there must be known before the first note comes.
    if (this.#link !== null) this.#leases.renewNow();
    await this.#link?.start();
    this.#finder.start();
  }

  /** Starts an instance here, under whatever identity this process has when it gets through. */
  async startInstance(instance: Omit<NewInstance, 'owned'>): Promise<StartOutcome> {
    let mayBeThere = false;
    for (;;) {
      const session = this.#session;
      if (session === null) {
        if (this.#joining === null) throw new NotRunningError('this app is not running; call start() first');
        await this.#joining;
        continue;
      }
      try {
        return await session.start(instance, { mayBeThere });
      } catch (error) {
        // The lease was lost. Before that the start may have been committed and its answer lost: whoever reaped it has handed it on.
        if (!(error instanceof LeaseLostError) || this.#abort.signal.aborted) throw error;
        mayBeThere = true;
      }
    }
  }

  /** Whether the instance is executed in this process at this moment. */
  runs(instanceId: string): boolean {
    return this.#session?.isRunning(instanceId) ?? false;
  }

  /** Hands wake-ups of progress, an event or a cancellation that was just committed to this process and to others. */
  tell(wakeups: readonly Wakeup[]): void {
    // Others have been told by the transaction itself, where the notifier wants it so.
    if (this.#parts.notifier?.notesOf === undefined) this.#tellAll(wakeups);
    else if (wakeups.length > 0) this.hub.emit('wakeups', wakeups, 'here');
  }

  #tellAll(wakeups: readonly Wakeup[]): void {
    if (wakeups.length === 0) return;
    this.hub.emit('wakeups', wakeups, 'here');
    this.#link?.send(wakeups);
  }

  /** Claim soon, and read what happened to these instances if they run here. */
  attend(instanceId: string): void {
    this.#session?.attend([instanceId]);
    this.#finder.request('told');
  }

  status(): SchedulerStatus {
    return {
      workerId: this.#workerId,
      running: this.#runningCount,
      storageAvailable: this.health.available,
      pollIntervalMs: this.#finder.pollIntervalMs,
      notifier: this.#link?.status() ?? null,
      commits: this.#earlierCommits + (this.#session?.commits ?? 0),
      claims: this.#finder.claims,
    };
  }

  /**
   * Stops claiming, lets activities under way end, puts away or hands back all runs, commits what is left, removes the lease.
   * After `timeoutMs` the rest is dropped: others find it as after a crash, only sooner when the lease can still be removed.
   */
  async stop(timeoutMs: number): Promise<void> {
    const { clock, logger } = this.#parts.services;
    const deadline = new AbortController();
    const cancelDeadline = clock.schedule(timeoutMs, () => deadline.abort(), { keepAlive: true });
    const reason = new NotRunningError('this app was stopped');
    await this.watcher.stop(reason);
    const session = this.#session;
    this.#busy.stop();
    await withDeadline(this.#finder.stop(), deadline.signal);
    // The lease is renewed until the last run has come to rest.
    if (session !== null) await session.drain(deadline.signal);
    this.#abort.abort(reason);
    await withDeadline(this.#leases.stop(), deadline.signal);
    if (session !== null) {
      if (session.running > 0)
        logger.warn('stopped before all runs came to rest; others go on with them', { running: session.running });
      session.drop(reason);
      this.#session = null;
      await this.#retire(session.workerId);
    }
    await this.#link?.stop();
    cancelDeadline();
    this.hub.removeAllListeners();
  }

  /**
   * Removes the lease, in time of its own: a stop that ran out of time has most reason to tell others that its runs are theirs now.
   * Tried once: from a storage that is down, it goes by itself.
   */
  async #retire(workerId: string): Promise<void> {
    const { storage, services } = this.#parts;
    const tooLong = new AbortController();
    const cancel = services.clock.schedule(retireMs, () => tooLong.abort(), { keepAlive: true });
    try {
      const retired = storage.leases.retire({ workerId });
      await withDeadline(retired, tooLong.signal);
      if (tooLong.signal.aborted) throw new StorageUnavailableError(`no answer within ${retireMs} ms`);
      // What was left is for others, who would otherwise come upon it at their next look.
      this.#link?.send((await retired).wakeups);
    } catch (error) {
      services.logger.warn('could not remove the lease; it runs out by itself', { error: String(error) });
    } finally {
      cancel();
    }
  }

  async #join(signal: AbortSignal): Promise<void> {
    const { storage, options, workflows, services } = this.#parts;
    const workerId = this.#workerId;
    await this.health.keepTrying(async () => {
      const sentAt = services.clock.monotonic();
      const { now } = await storage.leases.register({
        workerId,
        serviceName: options.serviceName,
        leaseMs: options.leaseMs,
        workflowNames: [...workflows.keys()],
      });
      this.#storageClock.set(now, sentAt);
    }, signal);
    this.#session = new WorkerSession({
      workerId,
      runs: storage.runs,
      workflows,
      concurrency: options.concurrency,
      historyLimit: options.historyLimit,
      health: this.health,
      storageClock: this.#storageClock,
      hub: this.hub,
      services: { ...services, storageTime: this.#storageClock, transactions: storage.transactions, storageKind: storage.kind },
      onWakeups: (wakeups) => this.tell(wakeups),
      onLeaseLost: (session, error) => this.#leaseLost(session, error),
    });
    // A new row says no presence.
    if ((this.#link?.presence ?? null) !== null) this.#leases.renewNow();
  }

  get #runningCount(): number {
    return this.#session?.running ?? 0;
  }

  #leaseLost(session: WorkerSession, error: LeaseLostError): void {
    if (session !== this.#session || this.#abort.signal.aborted) return;
    this.#earlierCommits += session.commits;
    this.#session = null;
    const { logger } = this.#parts.services;
    logger.error('this process was declared dead; it dropped its runs and joins again as a new worker', {
      workerId: session.workerId,
      error: error.message,
    });
    this.#workerId = this.#parts.options.newWorkerId();
    this.#joining = this.#join(this.#abort.signal)
      .then(
        () => {
          logger.info('joined again', { workerId: this.#session?.workerId });
          this.#finder.request('sweep');
        },
        (failure: unknown) => {
          if (!this.#abort.signal.aborted)
            logger.error('could not join again; this process runs nothing', { error: String(failure) });
        },
      )
      .finally(() => {
        this.#joining = null;
      });
  }

  /** What this process has just committed itself. */
  #actOn(wakeups: readonly Wakeup[]): void {
    let claim = false;
    for (const wakeup of wakeups) {
      switch (wakeup.kind) {
        case 'timer_expired':
          this.#finder.dueAt(wakeup.expiresAt);
          break;
        case 'workflow_resumable':
          this.#link?.announced(wakeup.instanceId);
          if (this.#session?.isHere(wakeup.instanceId) === true) this.#session.attend([wakeup.instanceId]);
          else if (this.#parts.workflows.has(wakeup.workflowName)) claim = true;
          break;
        case 'channel_message':
          if (wakeup.targetInstanceId === null) this.#link?.announcedToAll();
          else {
            this.#link?.announced(wakeup.targetInstanceId);
            this.#session?.attend([wakeup.targetInstanceId]);
          }
          claim = true;
          break;
        case 'outbox_pending':
        case 'workflow_finished':
        case 'workflow_claimed':
        case 'worker_busy':
          // Not for those who look for work: the watcher of results hears of ends.
          break;
      }
    }
    if (claim) this.#finder.request('told');
  }

  #createLink(notifier: Notifier): NotifierLink {
    const { workflows, options, services } = this.#parts;
    return new NotifierLink({
      ...services,
      notifier,
      workflows,
      fallbackIntervalMs: options.pace.notifyFallbackIntervalMs,
      hub: this.hub,
      finder: this.#finder,
      watcher: this.watcher,
      session: () => this.#session,
      peers: () => this.#leases.peers,
      onPresence: () => {
        this.#leases.renewNow();
        // What was told without a sign to watch did not count.
        if (this.#runningCount > 0) this.#busy.began();
      },
      onOthersBusy: () => this.#leases.othersAreBusy(),
      tell: (event) => services.hooks.call('onNotifierStateChange', event),
    });
  }

  /** With a healthy notifier ends elsewhere are told of as well. */
  #longestResultDelayMs(): number {
    return Math.max(this.#parts.options.pace.workflowPollIntervalMs, this.#finder.pollIntervalMs);
  }
}

/** Resolves with the promise or the deadline, whichever comes first. */
async function withDeadline(promise: Promise<unknown>, deadline: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    promise.then(() => resolve(), reject);
    if (deadline.aborted) resolve();
    deadline.addEventListener('abort', () => resolve(), { once: true });
  });
}
