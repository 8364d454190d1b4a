// All that belongs to one worker identity: its runs, its committer, its room. A lost lease ends the session, and a new one begins.
import { AsyncResource } from 'node:async_hooks';
import type { AnyWorkflow } from '../authoring/define-workflow.js';
import type { LeaseLostError } from '../domain/errors.js';
import type { Wakeup } from '../domain/wakeup.js';
import { Run } from '../engine/run.js';
import type { RunEnd } from '../engine/run-end.js';
import type { RunServices } from '../engine/run-services.js';
import type { MessageStore } from '../ports/message-store.js';
import type { ClaimedRun } from '../ports/claim.js';
import type { NewInstance } from '../ports/new-instance.js';
import type { CommitNews } from '../ports/progress.js';
import type { RunStore } from '../ports/run-store.js';
import type { ChannelModes } from './channel-modes.js';
import type { Claimant } from './claimant.js';
import { CommitLanes, type LanePlace } from './commit-lanes.js';
import { firstClaim } from './first-claim.js';
import { handBack } from './hand-back.js';
import { LaneServices } from './lane-services.js';
import { logStall } from './log-stall.js';
import { RunsInMemory } from './runs-in-memory.js';
import { SignalReader } from './signal-reader.js';
import type { StorageClock } from './storage-time.js';
import type { StorageHealth } from './storage-health.js';
import type { WakeupHub } from './wakeup-hub.js';
import { withDeadline } from './with-deadline.js';

export interface SessionParts {
  readonly workerId: string;
  readonly runs: RunStore;
  readonly messages: MessageStore;
  readonly modes: ChannelModes;
  readonly workflows: ReadonlyMap<string, AnyWorkflow>;
  /** How many runs may be in memory. */
  readonly concurrency: number;
  readonly historyPage: number;
  readonly health: StorageHealth;
  readonly storageClock: StorageClock;
  readonly hub: WakeupHub;
  readonly services: Omit<RunServices, 'workerId' | 'progress' | 'reader' | 'onNews' | 'onRunEnd'>;
  readonly onWakeups: (wakeups: readonly Wakeup[]) => void;
  readonly onLeaseLost: (session: WorkerSession, error: LeaseLostError) => void;
}

/** How a start ended. */
export type StartOutcome = 'started' | 'conflict';

export class WorkerSession implements Claimant {
  readonly workerId: string;
  readonly #parts: SessionParts;
  readonly #laneServices: LaneServices;
  readonly #lanes: CommitLanes;
  readonly #abort = new AbortController();
  /** The async context (AsyncLocalStorage) in which the app was started: that of all runs that were not started here and now. */
  readonly #context = new AsyncResource('romancy.session');
  readonly #runs = new RunsInMemory();
  /** Instances that are being started here: their places are taken, their runs have not begun. */
  readonly #starting = new Set<string>();
  /** What was claimed anew before the run that is still here had the answer to its settlement. */
  readonly #following = new Map<string, ClaimedRun>();
  /** Instances whose next run has not begun yet, though it is this worker's, and to which something has happened since. */
  readonly #news = new Set<string>();
  /** Instances whose run was broken off and that are being handed back. */
  readonly #leaving = new Set<string>();
  #draining = false;
  #idle: (() => void) | null = null;

  constructor(parts: SessionParts) {
    this.#parts = parts;
    this.workerId = parts.workerId;
    this.#lanes = new CommitLanes({
      workerId: parts.workerId,
      runs: parts.runs,
      health: parts.health,
      storageClock: parts.storageClock,
      clock: parts.services.clock,
      onWakeups: parts.onWakeups,
      onMail: ({ instanceId, mail }) => this.#runs.get(instanceId)?.handMail(mail) ?? false,
      onNews: (news) => this.#heard(news),
      onLeaseLost: (error) => this.leaseLost(error),
    });
    const reader = new SignalReader({
      workerId: parts.workerId,
      runs: parts.runs,
      messages: parts.messages,
      modes: parts.modes,
      health: parts.health,
      historyPage: parts.historyPage,
      mailLimit: parts.services.mailLimit,
      signal: this.#abort.signal,
    });
    this.#laneServices = new LaneServices({
      ...parts.services,
      workerId: parts.workerId,
      reader,
      onNews: (news) => this.#heardAlone(news),
      onRunEnd: (instanceId, end) => this.#ended(instanceId, end),
    });
  }

  get running(): number {
    return this.#runs.size;
  }

  get commits(): number {
    return this.#lanes.commits;
  }

  get room(): number {
    return this.#draining ? 0 : this.#parts.concurrency - this.#runs.size - this.#starting.size;
  }

  holding(): readonly string[] {
    return [...this.#runs.ids(), ...this.#starting, ...this.#leaving];
  }

  alone<T>(work: () => Promise<T>): Promise<T> {
    return this.#lanes.alone(work);
  }

  isRunning(instanceId: string): boolean {
    return this.#runs.has(instanceId);
  }

  /** Whether the instance is this worker's, also when its run has not begun yet. */
  isHere(instanceId: string): boolean {
    return this.#runs.has(instanceId) || this.#starting.has(instanceId);
  }

  /**
   * Starts an instance, and runs it here at once when there is room and the workflow is served here.
   * @param options `mayBeThere`: it may have been started by this very call before, and belong to somebody by now; then it is left to
   * be claimed.
   */
  start(instance: Omit<NewInstance, 'owned'>, options: { readonly mayBeThere: boolean }): Promise<StartOutcome> {
    const { instanceId, workflowName, input } = instance;
    const isServed = this.#parts.workflows.has(workflowName) && this.room > 0 && !options.mayBeThere;
    // Two starts of one id at once: the second must find the first as a conflict, not as its own.
    const owned = isServed && !this.#starting.has(instanceId) && !this.#runs.has(instanceId);
    const { startToken } = instance;
    if (!owned) return this.#lanes.first.start({ instanceId, workflowName, input, startToken, owned });
    this.#starting.add(instanceId);
    const place = this.#lanes.enter();
    return place.committer.start({ instanceId, workflowName, input, startToken, owned }).then(
      (outcome) => {
        this.#startEnded(instance, place, outcome);
        return outcome;
      },
      (error: unknown) => {
        this.#startEnded(instance, place, null);
        throw error;
      },
    );
  }

  /** @param outcome null: the start was refused, or nobody knows what became of it. */
  #startEnded(instance: Omit<NewInstance, 'owned'>, place: LanePlace, outcome: StartOutcome | null): void {
    const { instanceId, workflowName } = instance;
    this.#starting.delete(instanceId);
    if (outcome === 'started') this.#begin(firstClaim(instance), place);
    else place.leave();
    const isNews = this.#news.delete(instanceId);
    this.#freed();
    // The news was kept for a run that does not come: the instance is another start's, and may be anybody's to claim by now.
    if (isNews) this.#parts.onWakeups([{ kind: 'workflow_resumable', instanceId, workflowName }]);
  }

  /**
   * Starts many, in one commit, for whoever claims them: as a rule there are more than this process has room for, and a claim takes up
   * to a hundred. See {@link Committer.startMany}.
   */
  startMany(instances: readonly NewInstance[]): Promise<ReadonlySet<string>> {
    return this.#lanes.first.startMany(instances);
  }

  begin(claimed: ClaimedRun): void {
    // A claim may have been asked for by anybody; what it brings has nothing to do with him.
    this.#context.runInAsyncScope(() => this.#beginClaimed(claimed));
  }

  #beginClaimed(claimed: ClaimedRun): void {
    // The storage hands out what nobody owns: a run of it that is here was put away, and has not been told yet.
    if (this.#runs.has(claimed.instanceId)) this.#following.set(claimed.instanceId, claimed);
    else this.#begin(claimed, this.#lanes.enter());
  }

  #begin(claimed: ClaimedRun, place: LanePlace): void {
    const { instanceId, workflowName } = claimed;
    const workflow = this.#parts.workflows.get(workflowName);
    if (workflow === undefined) {
      // Cannot happen while the storage keeps its contract.
      this.#parts.services.logger.error('the storage handed out an instance that is not for this worker', { instanceId });
      place.leave();
      return;
    }
    const run = new Run(workflow, claimed, this.#laneServices.of(place.committer));
    this.#runs.add(run, place);
    if (this.#runs.size === 1) this.#parts.hub.emit('busy');
    if (this.#draining) run.drain();
    run.execute();
    if (this.#news.delete(instanceId)) void run.attend();
  }

  attend(instanceIds: readonly string[]): void {
    for (const instanceId of instanceIds) {
      // Meant is the run that is to come: what it was given may be older than this news, and the one that is still here reads no more.
      if (this.#starting.has(instanceId) || this.#following.has(instanceId)) this.#news.add(instanceId);
      else void this.#runs.get(instanceId)?.attend();
    }
  }

  surprised(instanceIds: readonly string[]): readonly string[] {
    return instanceIds.filter((instanceId) => this.#runs.get(instanceId)?.isAttentionHanded !== true);
  }

  leaseLost(error: LeaseLostError): void {
    this.drop(error);
    this.#parts.onLeaseLost(this, error);
  }

  /** From here on begins nothing new, and hands runs back as they come to rest. */
  beginDraining(): void {
    this.#draining = true;
    for (const run of this.#runs) run.drain();
  }

  /** Drains; resolves when no run is left or `signal` aborts. To be called when nothing more is claimed. */
  async drain(signal: AbortSignal): Promise<void> {
    this.beginDraining();
    const empty = new Promise<void>((resolve) => {
      this.#idle = resolve;
      if (this.#isEmpty) resolve();
    });
    await withDeadline(empty, signal);
    await withDeadline(this.#lanes.idle(), signal);
  }

  /** Forgets all runs and gives up what is not committed. */
  drop(reason: Error): void {
    this.#draining = true;
    this.#abort.abort(reason);
    this.#lanes.abandon(reason);
    for (const run of this.#runs) run.drop(reason);
  }

  /** Of a transaction of an activity: its commit is none of a lane, and no run is given mail by it. */
  #heardAlone({ handed = [], ...news }: CommitNews): void {
    this.#heard({ ...news, attention: [...news.attention, ...handed.map(({ instanceId }) => instanceId)] });
  }

  #heard({ undelivered, attention }: CommitNews): void {
    for (const { messageId, instanceId } of undelivered) {
      const facts = { messageId, instanceId };
      this.#parts.services.logger.warn('a message was for an instance that does not exist or has ended; it is lost', facts);
    }
    this.attend(attention);
    // Claimed here, and the answer is on its way: it may be older than this. A further claim tells who has attention.
    if (attention.some((instanceId) => !this.isHere(instanceId))) this.#parts.hub.emit('missed');
  }

  get #isEmpty(): boolean {
    return this.#runs.size === 0 && this.#starting.size === 0 && this.#leaving.size === 0;
  }

  #ended(instanceId: string, end: RunEnd): void {
    const run = this.#runs.get(instanceId)!;
    if (end.type === 'finished') this.#parts.hub.emit('finished', end.finished);
    if (end.type === 'stalled') logStall(this.#parts.services.logger, run, end.error);
    const place = this.#runs.remove(instanceId);
    place.leave();
    if (end.type !== 'finished') this.#parts.hub.emit('left', instanceId);
    const next = this.#following.get(instanceId);
    this.#following.delete(instanceId);
    if (!this.#abort.signal.aborted) {
      if (end.type === 'recurred' && end.next !== null) {
        // Mail that the part before did not read is there, and nobody tells of it again.
        this.#news.add(instanceId);
        this.begin(end.next);
      } else if (next !== undefined) {
        // A reading of the run that is over may have cleared attention for what came after this claim.
        this.#news.add(instanceId);
        this.begin(next);
      } else if (end.type === 'dropped') void this.#handBack(run, place, end.reason);
      // What it was told of on its way out may have come behind its settlement: then it is for whoever claims the instance.
      else if (run.hasNews && end.type !== 'finished') this.#parts.hub.emit('missed');
    }
    this.#freed();
  }

  async #handBack(run: Run, { committer }: LanePlace, reason: Error): Promise<void> {
    const { logger, storageTime } = this.#parts.services;
    this.#leaving.add(run.instanceId);
    try {
      await handBack(run, reason, { committer, storageTime, logger, signal: this.#abort.signal });
    } finally {
      this.#leaving.delete(run.instanceId);
      this.#freed();
    }
  }

  #freed(): void {
    if (this.#isEmpty) this.#idle?.();
    this.#parts.hub.emit('room');
  }
}
