// This process as a worker: joins under an identity, joins again under another one when it lost its lease, and leaves.
import { eventTypesOf, type AnyWorkflow } from '../authoring/define-workflow.js';
import { LeaseLostError, NotRunningError, StorageUnavailableError } from '../domain/errors.js';
import { eventTopic } from '../domain/topic.js';
import type { Wakeup } from '../domain/wakeup.js';
import type { RunServices } from '../engine/run-services.js';
import type { NewInstance } from '../ports/new-instance.js';
import type { Storage } from '../ports/storage.js';
import { ChannelModes } from './channel-modes.js';
import type { StorageHealth } from './storage-health.js';
import type { StorageClock } from './storage-time.js';
import type { WakeupHub } from './wakeup-hub.js';
import { withDeadline } from './with-deadline.js';
import { WorkerSession, type StartOutcome } from './worker-session.js';

/** How long leaving waits for the lease to be removed, beyond all that the stop was told to wait. */
const retireMs = 2000;

export interface MembershipOptions {
  /** An identity for each session: nobody must take it for a worker that was there before. */
  readonly newWorkerId: () => string;
  readonly serviceName: string;
  readonly concurrency: number;
  readonly leaseMs: number;
  /** It sends events of the outbox. */
  readonly isRelayer: boolean;
  /** The entries of each page of history beyond what a claim brings. */
  readonly historyPage: number;
}

export interface MembershipParts {
  readonly storage: Storage;
  readonly workflows: ReadonlyMap<string, AnyWorkflow>;
  readonly options: MembershipOptions;
  readonly services: Omit<
    RunServices,
    'workerId' | 'progress' | 'reader' | 'storageTime' | 'transactions' | 'storageKind' | 'tell' | 'onNews' | 'onRunEnd'
  >;
  readonly health: StorageHealth;
  readonly storageClock: StorageClock;
  readonly hub: WakeupHub;
  /** Wake-ups of progress that was just committed. */
  readonly onWakeups: (wakeups: readonly Wakeup[]) => void;
  /** Wake-ups that no transaction has told others of, whatever the notifier is. */
  readonly tellAll: (wakeups: readonly Wakeup[]) => void;
  /** A session begins: its row says no presence yet. */
  readonly onJoined: () => void;
  /** A session has ended with its lease. */
  readonly onLeft: (reason: Error) => void;
  /** It is not the first one: what came meanwhile was nobody's here. */
  readonly onJoinedAgain: () => void;
}

/** joined ─ lease lost ─► joining under a new identity ─► joined; left: for ever. */
export class Membership {
  readonly #parts: MembershipParts;
  readonly #abort = new AbortController();
  #workerId: string;
  #session: WorkerSession | null = null;
  #joining: Promise<void> | null = null;
  #earlierCommits = 0;
  /** For ever: what is answered from here on begins nothing. */
  #left = false;
  readonly #modes: ChannelModes;

  constructor(parts: MembershipParts) {
    this.#parts = parts;
    this.#modes = new ChannelModes(parts.storage.messages, parts.services.clock);
    this.#workerId = parts.options.newWorkerId();
  }

  /** The identity of now, or of the session that is about to begin. */
  get workerId(): string {
    return this.#workerId;
  }

  /** Null: not joined. */
  get session(): WorkerSession | null {
    return this.#session;
  }

  /** Runs in memory. */
  get running(): number {
    return this.#session?.running ?? 0;
  }

  /** Of all sessions. */
  get commits(): number {
    return this.#earlierCommits + (this.#session?.commits ?? 0);
  }

  /** Registers the worker. Rejects when the storage refuses for a reason that does not pass, or `signal` aborts. */
  async join(signal: AbortSignal): Promise<void> {
    const { storage, options, workflows, services, health, storageClock, hub, onWakeups, onJoined } = this.#parts;
    const workerId = this.#workerId;
    await health.keepTrying(async () => {
      const sentAt = services.clock.monotonic();
      const { now } = await storage.leases.register({
        workerId,
        serviceName: options.serviceName,
        leaseMs: options.leaseMs,
        workflowNames: [...workflows.keys()],
        starts: startsOf(workflows),
        isRelayer: options.isRelayer,
      });
      storageClock.set(now, sentAt);
    }, signal);
    // Nobody waited for this answer: the storage is closed, and whoever left has said that the row may be there.
    if (this.#left) return;
    this.#session = new WorkerSession({
      workerId,
      runs: storage.runs,
      messages: storage.messages,
      modes: this.#modes,
      workflows,
      concurrency: options.concurrency,
      historyPage: options.historyPage,
      health,
      storageClock,
      hub,
      services: {
        ...services,
        storageTime: storageClock,
        transactions: storage.transactions,
        storageKind: storage.kind,
        tell: this.#parts.tellAll,
      },
      onWakeups,
      onLeaseLost: (session, error) => this.#leaseLost(session, error),
    });
    onJoined();
  }

  /** Starts an instance here, under whatever identity this process has when it gets through. */
  startInstance(instance: Omit<NewInstance, 'owned'>): Promise<StartOutcome> {
    return this.#inSession((session, mayBeThere) => session.start(instance, { mayBeThere }));
  }

  /** See {@link WorkerSession.startMany}; under whatever identity this process has when it gets through. */
  startInstances(instances: readonly NewInstance[]): Promise<ReadonlySet<string>> {
    return this.#inSession((session) => session.startMany(instances));
  }

  /** @param start `mayBeThere`: it was tried in a session before. The lease was lost then, its commit may have taken effect and its answer been lost: whoever reaped it has handed it on. */
  #inSession<T>(start: (session: WorkerSession, mayBeThere: boolean) => Promise<T>, mayBeThere = false): Promise<T> {
    if (this.#session === null) return this.#joined().then(() => this.#inSession(start, mayBeThere));
    // No async function: hundreds of starts wait here at once, and a frame of one takes more than twice as much.
    return start(this.#session, mayBeThere).catch((error: unknown) => {
      if (!(error instanceof LeaseLostError) || this.#abort.signal.aborted) throw error;
      return this.#inSession(start, true);
    });
  }

  async #joined(): Promise<void> {
    if (this.#joining === null) throw new NotRunningError('this app is not running; call start() first');
    await this.#joining;
  }

  /** The storage knows nothing of that worker any more. An identity before this one is not meant. */
  leaseLost(error: LeaseLostError): void {
    if (this.#session?.workerId === error.workerId) this.#session.leaseLost(error);
  }

  /** From here on nothing joins again. */
  end(reason: Error): void {
    this.#abort.abort(reason);
  }

  /** Drops what still runs and removes the lease. @returns wake-ups of what others have to go on with. */
  async leave(reason: Error): Promise<readonly Wakeup[]> {
    // An identity that it was about to take again: its row may be there already, and would stay until its lease ends.
    const isKnown = this.#joining === null || (await this.#withinRetireTime(this.#joining));
    this.#left = true;
    if (!isKnown) this.#warnOfLease(`no answer within ${retireMs} ms`);
    const session = this.#session;
    if (session === null) return [];
    if (session.running > 0) {
      const { logger } = this.#parts.services;
      logger.warn('stopped before all runs came to rest; others go on with them', { running: session.running });
    }
    session.drop(reason);
    this.#session = null;
    return await this.#retire(session.workerId);
  }

  /**
   * Removes the lease, in time of its own: a stop that ran out of time has most reason to tell others that its runs are theirs now.
   * Tried once: from a storage that is down, it goes by itself.
   */
  async #retire(workerId: string): Promise<readonly Wakeup[]> {
    const { storage } = this.#parts;
    try {
      const retired = storage.leases.retire({ workerId });
      if (!(await this.#withinRetireTime(retired))) throw new StorageUnavailableError(`no answer within ${retireMs} ms`);
      return (await retired).wakeups;
    } catch (error) {
      this.#warnOfLease(String(error));
      return [];
    }
  }

  #warnOfLease(error: string): void {
    this.#parts.services.logger.warn('could not remove the lease; it runs out by itself', { error });
  }

  /** @returns false when it took longer. Rejects as the promise does. */
  async #withinRetireTime(promise: Promise<unknown>): Promise<boolean> {
    const tooLong = new AbortController();
    const cancel = this.#parts.services.clock.schedule(retireMs, () => tooLong.abort(), { keepAlive: true });
    try {
      await withDeadline(promise, tooLong.signal);
      return !tooLong.signal.aborted;
    } finally {
      cancel();
    }
  }

  #leaseLost(session: WorkerSession, error: LeaseLostError): void {
    if (session !== this.#session || this.#abort.signal.aborted) return;
    this.#earlierCommits += session.commits;
    this.#session = null;
    const { services, options, onLeft, onJoinedAgain } = this.#parts;
    onLeft(error);
    const { logger } = services;
    logger.error('this process was declared dead; it dropped its runs and joins again as a new worker', {
      workerId: session.workerId,
      error: error.message,
    });
    this.#workerId = options.newWorkerId();
    this.#joining = this.join(this.#abort.signal)
      .then(
        () => {
          if (this.#session === null) return;
          logger.info('joined again', { workerId: this.#session.workerId });
          onJoinedAgain();
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
}

function startsOf(workflows: ReadonlyMap<string, AnyWorkflow>): { readonly workflowName: string; readonly topic: string }[] {
  return [...workflows.values()].flatMap(({ name, options }) =>
    eventTypesOf(name, options.startOn).map((type) => ({ workflowName: name, topic: eventTopic(type) })),
  );
}
