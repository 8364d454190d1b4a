// The loops of one app put together: session, work finder, lease keeper, result watcher, outbox, retention, notifier.
import type { AnyWorkflow } from '../authoring/define-workflow.js';
import { NotRunningError } from '../domain/errors.js';
import type { Wakeup } from '../domain/wakeup.js';
import type { Notifier } from '../ports/notifier.js';
import type { NewInstance } from '../ports/new-instance.js';
import type { Storage } from '../ports/storage.js';
import { BusySignal } from './busy-signal.js';
import { LeaseKeeper } from './lease-keeper.js';
import { Membership, type MembershipOptions, type MembershipParts } from './membership.js';
import { NotifierLink } from './notifier-link.js';
import type { NotifierView } from './notifier-watch.js';
import { OutboxRelayer, type OutboxView, type RelayOptions } from './outbox-relayer.js';
import { OwnWakeups } from './own-wakeups.js';
import type { PaceOptions } from './polling-pace.js';
import { ResultWatcher } from './result-watcher.js';
import { RetentionJob, type RetentionAges } from './retention-job.js';
import { StorageHealth } from './storage-health.js';
import { StorageClock } from './storage-time.js';
import { WakeupHub } from './wakeup-hub.js';
import { WorkFinder } from './work-finder.js';
import { withDeadline } from './with-deadline.js';
import type { StartOutcome, WorkerSession } from './worker-session.js';

export interface SchedulerOptions extends Omit<MembershipOptions, 'isRelayer'> {
  /** How often the lease is renewed, in milliseconds. */
  readonly renewalMs: number;
  readonly pace: PaceOptions;
  readonly claimBatchSize: number;
  /** The entries of history that a claim brings of each instance, at most. */
  readonly historyLimit: number;
  /** Null: this process sends no events. */
  readonly outbox: RelayOptions | null;
  readonly retention: RetentionAges;
}

export interface SchedulerParts {
  readonly storage: Storage;
  readonly notifier: Notifier | null;
  readonly workflows: ReadonlyMap<string, AnyWorkflow>;
  readonly options: SchedulerOptions;
  readonly services: MembershipParts['services'];
}

/** What can be seen of a scheduler from outside. */
export interface SchedulerStatus {
  readonly workerId: string;
  readonly running: number;
  readonly storageAvailable: boolean;
  readonly pollIntervalMs: number;
  /** Null: no notifier is plugged in, or it is not wanted. */
  readonly notifier: NotifierView | null;
  /** Null: this process sends no events. */
  readonly outbox: OutboxView | null;
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
  readonly #relayer: OutboxRelayer | null;
  readonly #retention: RetentionJob;
  readonly #link: NotifierLink | null;
  readonly #busy: BusySignal;
  readonly #membership: Membership;
  readonly #ownWakeups: OwnWakeups;

  constructor(parts: SchedulerParts) {
    this.#parts = parts;
    const { storage, options, services } = parts;
    const { clock, entropy, logger } = services;
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
    this.#membership = new Membership({
      storage,
      workflows: parts.workflows,
      options: { ...options, isRelayer: options.outbox !== null },
      services,
      health: this.health,
      storageClock: this.#storageClock,
      hub: this.hub,
      onWakeups: (wakeups) => this.tell(wakeups),
      tellAll: (wakeups) => this.tellAll(wakeups),
      onJoined: () => {
        this.#relayer?.joined(this.#membership.workerId);
        if ((this.#link?.presence ?? null) !== null) this.#leases.renewNow();
      },
      onLeft: (reason) => this.#relayer?.left(reason),
      onJoinedAgain: () => this.#finder.request('sweep'),
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
      claimant: () => this.#membership.session,
      onClaimed: (outcome) => this.#link?.claimed(outcome),
      onDue: (moment) => (this.#link === null ? this.#finder.request('due') : this.#link.due(moment)),
    });
    this.#leases = new LeaseKeeper({
      leases: storage.leases,
      leaseMs: options.leaseMs,
      renewalMs: options.renewalMs,
      // With a short lease, looking seldom would be most of the time until somebody takes over.
      lookMs: Math.min(storage.reapIntervalMs, options.renewalMs),
      workflowNames: [...parts.workflows.keys()],
      isRelayer: options.outbox !== null,
      health: this.health,
      storageClock: this.#storageClock,
      clock,
      entropy,
      logger,
      workerId: () => this.#membership.session?.workerId ?? null,
      presence: () => this.#link?.presence ?? null,
      onLeaseLost: (error) => this.#membership.leaseLost(error),
      // Others are told as well: there may be more than this process has room for.
      onReleased: (wakeups) => this.tellAll(wakeups),
      onReaped: () => this.#relayer?.othersLeft(),
      onWork: (work, now) => {
        this.#link?.foundAttention(this.#membership.session?.surprised(work.attention) ?? []);
        this.#finder.heardOfWork(work, now);
        this.#relayer?.heardOfWork(work.outboxDueAt, now);
      },
    });
    const background = {
      ...services,
      health: this.health,
      storageClock: this.#storageClock,
      storageTime: this.#storageClock,
    };
    this.#relayer =
      options.outbox === null
        ? null
        : new OutboxRelayer({
            ...background,
            outbox: storage.outbox,
            options: options.outbox,
            pollIntervalMs: options.pace.workflowPollIntervalMs,
            hub: this.hub,
            relayers: () => this.#leases.relayers,
            onLeaseLost: (error) => this.#membership.leaseLost(error),
          });
    this.#retention = new RetentionJob({
      ...background,
      retention: storage.retention,
      ages: options.retention,
      others: () => this.#leases.watchers,
    });
    this.#link = parts.notifier === null ? null : this.#createLink(parts.notifier);
    this.#busy = new BusySignal({
      clock,
      isBusy: () => this.#isBusy,
      tell: () => this.#link?.tellBusy(this.#membership.workerId),
    });
    const session = (): WorkerSession | null => this.#membership.session;
    this.#ownWakeups = new OwnWakeups({ workflows: parts.workflows, finder: this.#finder, link: this.#link, session });
    this.hub.on('busy', () => this.#busy.began());
    this.hub.on('room', () => this.#finder.roomFreed());
    this.hub.on('missed', () => this.#finder.request('told'));
    this.hub.on('wakeups', (wakeups, from) => (from === 'here' ? this.#ownWakeups.actOn(wakeups) : this.#link?.heard(wakeups)));
  }

  /** Registers the worker and begins. Rejects when the storage refuses for a reason that does not pass, or `signal` aborts. */
  async start(signal: AbortSignal): Promise<void> {
    await this.#membership.join(signal);
    this.#leases.start();
    // Who else is there must be known before the first note comes.
    if (this.#link !== null) this.#leases.renewNow();
    await this.#link?.start();
    this.#finder.start();
    this.#relayer?.start();
    this.#retention.start();
  }

  /** Starts an instance here, under whatever identity this process has when it gets through. */
  startInstance(instance: Omit<NewInstance, 'owned'>): Promise<StartOutcome> {
    return this.#membership.startInstance(instance);
  }

  /** Starts many in one commit, for whoever has room. @returns the ids that were in use. */
  startInstances(instances: readonly NewInstance[]): Promise<ReadonlySet<string>> {
    return this.#membership.startInstances(instances);
  }

  /** Whether the instance is executed in this process at this moment. */
  runs(instanceId: string): boolean {
    return this.#membership.session?.isRunning(instanceId) ?? false;
  }

  /** Hands wake-ups of progress, an event or a cancellation that was just committed to this process and to others. */
  tell(wakeups: readonly Wakeup[]): void {
    // Others have been told by the transaction itself, where the notifier wants it so.
    if (this.#parts.notifier?.notesOf === undefined) this.tellAll(wakeups);
    else if (wakeups.length > 0) this.hub.emit('wakeups', wakeups, 'here');
  }

  /** The same for what the transaction itself tells nobody, whatever the notifier is. */
  tellAll(wakeups: readonly Wakeup[]): void {
    if (wakeups.length === 0) return;
    this.hub.emit('wakeups', wakeups, 'here');
    this.#link?.send(wakeups);
  }

  /** Claim soon, and read what happened to these instances if they run here. */
  attend(instanceId: string): void {
    this.#membership.session?.attend([instanceId]);
    this.#finder.request('told');
  }

  status(): SchedulerStatus {
    return {
      workerId: this.#membership.workerId,
      running: this.#membership.running,
      storageAvailable: this.health.available,
      pollIntervalMs: this.#finder.pollIntervalMs,
      notifier: this.#link?.status() ?? null,
      outbox: this.#relayer?.view() ?? null,
      commits: this.#membership.commits,
      claims: this.#finder.claims,
    };
  }

  /**
   * Stops claiming, lets activities under way end, puts away or hands back all runs, commits what is left, removes the lease.
   * After `timeoutMs` the rest is dropped: others find it as after a crash, only sooner when the lease can still be removed.
   */
  async stop(timeoutMs: number): Promise<void> {
    const { clock } = this.#parts.services;
    const deadline = new AbortController();
    const cancelDeadline = clock.schedule(timeoutMs, () => deadline.abort(), { keepAlive: true });
    const reason = new NotRunningError('this app was stopped');
    const session = this.#membership.session;
    // At once: what is claimed or purged at this moment may take its time, and meanwhile activities would begin that only hold up the stop.
    session?.beginDraining();
    await this.watcher.stop(reason);
    this.#busy.stop();
    const relayed = this.#relayer?.stop(deadline.signal);
    await withDeadline(Promise.all([this.#finder.stop(), this.#retention.stop()]), deadline.signal);
    // The lease is renewed until the last run has come to rest.
    await session?.drain(deadline.signal);
    const unsent = (await relayed) ?? [];
    this.#relayer?.left(reason);
    this.#membership.end(reason);
    await withDeadline(this.#leases.stop(), deadline.signal);
    const left = await this.#membership.leave(reason);
    // What was left is for others, who would otherwise come upon it at their next look.
    this.#link?.send([...left, ...unsent]);
    await this.#link?.stop();
    cancelDeadline();
    this.hub.removeAllListeners();
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
      relayer: this.#relayer,
      session: () => this.#membership.session,
      peers: () => this.#leases.peers,
      onPresence: () => {
        this.#leases.renewNow();
        // What was told without a sign to watch did not count.
        if (this.#isBusy) this.#busy.began();
      },
      onOthersBusy: () => this.#leases.othersAreBusy(),
      tell: (event) => services.hooks.call('onNotifierStateChange', event),
    });
  }

  /** Others would have to go on with something if this process died. */
  get #isBusy(): boolean {
    return this.#membership.running > 0 || (this.#relayer?.view().holding ?? 0) > 0;
  }

  /** With a healthy notifier ends elsewhere are told of as well. */
  #longestResultDelayMs(): number {
    return Math.max(this.#parts.options.pace.workflowPollIntervalMs, this.#finder.pollIntervalMs);
  }
}
