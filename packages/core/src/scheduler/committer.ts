// Commits progress in groups: while one commit is in flight, the next one gathers.
import { LeaseLostError } from '../domain/errors.js';
import type { NewHistoryEntry } from '../domain/history.js';
import type { Wakeup } from '../domain/wakeup.js';
import type { EntryExtras } from '../engine/entry-extras.js';
import { afterHop, hop } from '../engine/hop.js';
import type { Commitment, ProgressSink } from '../engine/progress.js';
import type { Clock } from '../ports/clock.js';
import type { NewInstance } from '../ports/new-instance.js';
import type { CommitNews, HandedMail, ProgressResult } from '../ports/progress.js';
import type { RunStore } from '../ports/run-store.js';
import type { Settlement } from '../ports/settlement.js';
import { byInstance, fittingCount, Outcome, toBatch, type CommitItem } from './commit-item.js';
import type { Floor, FloorTurn } from './floor.js';
import { Pause } from './pause.js';
import { Refusals } from './refusals.js';
import { SeenMarks } from './seen-marks.js';
import type { StorageClock } from './storage-time.js';
import type { StorageHealth } from './storage-health.js';
import { tellOutcomes } from './tell-outcomes.js';

export interface CommitterParts {
  readonly workerId: string;
  readonly runs: RunStore;
  readonly health: StorageHealth;
  readonly storageClock: StorageClock;
  readonly clock: Clock;
  /** Wake-ups of what is committed. */
  readonly onWakeups: (wakeups: readonly Wakeup[]) => void;
  /** Mail for a run, which came with the answer. Returns whether the run has it: else it is to read for itself. */
  readonly onMail: (handed: HandedMail) => boolean;
  /** What else a commit came to; its wake-ups go with the others. */
  readonly onNews: (news: CommitNews) => void;
  /** This worker was declared dead. */
  readonly onLeaseLost: (error: LeaseLostError) => void;
  /** Shared with the other lanes. */
  readonly floor: Floor;
}

/** Milliseconds. A commit may have taken long because it waited for a lock: that is no measure of what another one would take. */
const mostWaitMs = 50;
/** A bound that holds whatever the clock says: code that never comes to rest must not keep a commit from beginning. */
const mostTurns = 1000;

const noMail: readonly string[] = [];

const none: ReadonlySet<string> = new Set();

/** What a commit made durable, not yet told to those who wait for it. */
type Release = () => void;

/**
 * One lane: commits never overlap, so they take effect in the order in which things were recorded, and one instance's history is
 * always a prefix of what its code knew. An outage keeps the lane waiting and loses nothing: each commit can be repeated.
 *
 * The next commit is sent before those who waited for the last one are told, if there is one to send: the database works on it while
 * their code goes on.
 */
export class Committer implements ProgressSink {
  readonly #parts: CommitterParts;
  readonly #abort = new AbortController();
  readonly #queue: CommitItem[] = [];
  #flying: Promise<void> | null = null;
  /** Somebody wants the lane for himself. */
  #pause: Pause | null = null;
  /** Its latest, which may be over. */
  #turn: FloorTurn | null = null;
  #abandoned: Error | null = null;
  readonly #refusals = new Refusals();
  readonly #seen = new SeenMarks();
  /** Runs whose code may record more within this turn of the event loop. */
  #goingOn = 0;
  #lastTookMs = 0;
  #leavesTurns = false;
  /** Commits that took effect, for tests that count. */
  commits = 0;

  /** Whether the event loop has turns while a commit is under way. Not so with a database inside this thread, and as long as none was made. */
  get leavesTurns(): boolean {
    return this.#leavesTurns;
  }

  constructor(parts: CommitterParts) {
    this.#parts = parts;
  }

  start(instance: NewInstance): Promise<'started' | 'conflict'> {
    const outcome = new Outcome<'started' | 'conflict'>();
    this.#add({ type: 'start', instance, outcome });
    return outcome.promise;
  }

  /**
   * All in one commit. @param instances at least one, of one workflow, with different ids, owned by nobody.
   * @returns the ids that belong to an instance of another start. Rejects when the database refuses something in it.
   */
  startMany(instances: readonly NewInstance[]): Promise<ReadonlySet<string>> {
    const outcome = new Outcome<ReadonlySet<string>>();
    this.#add({ type: 'starts', instances, outcome });
    return outcome.promise;
  }

  record(entry: NewHistoryEntry, extras?: EntryExtras): Commitment {
    const outcome = new Outcome<void>();
    this.#add({ type: 'entry', entry, extras, outcome });
    return outcome;
  }

  settle(
    settlement: Settlement,
    wakeups: readonly Wakeup[] = [],
    takenMailIds: readonly string[] = noMail,
  ): Promise<'done' | 'refused'> {
    const outcome = new Outcome<'done' | 'refused'>();
    const seen = this.#seen.of(settlement.instanceId);
    this.#add({ type: 'settlement', settlement, wakeups, takenMailIds, seen, outcome });
    return outcome.promise;
  }

  goesOn(): void {
    this.#goingOn++;
  }

  stays(): void {
    this.#goingOn--;
  }

  /** Resolves when nothing is left to commit, or everything was rejected. */
  async idle(): Promise<void> {
    while (this.#flying !== null) await this.#flying;
  }

  /**
   * Does something while no commit is under way: waits for the answer to the one in flight, and for what it releases to have left, and
   * sends the next one afterwards. Two callers take turns.
   */
  async alone<T>(work: () => Promise<T>): Promise<T> {
    while (this.#pause !== null) await this.#pause.over;
    const pause = new Pause();
    this.#pause = pause;
    try {
      if (this.#flying !== null) await pause.begun;
      return await work();
    } finally {
      this.#pause = null;
      pause.end();
    }
  }

  /** Gives up: everything open and everything that still comes is rejected. */
  abandon(error: Error): void {
    if (this.#abandoned !== null) return;
    this.#abandoned = error;
    this.#abort.abort(error);
    for (const item of this.#queue.splice(0)) item.outcome.reject(error);
  }

  #add(item: CommitItem): void {
    if (this.#abandoned !== null) {
      item.outcome.reject(this.#abandoned);
      return;
    }
    this.#queue.push(item);
    this.#flying ??= this.#fly();
  }

  async #fly(): Promise<void> {
    // What is recorded together is committed together: without a turn in between, a hundred starts would be a hundred commits.
    await hop();
    let release: Release | null = null;
    for (;;) {
      if (this.#goingOn > 0) await this.#untilRunsStay();
      const items = this.#pause === null ? this.#take() : [];
      if (items.length > 0) {
        const sending = this.#commit(items);
        this.#turn?.sent();
        if (release !== null) {
          // The turn that the statement needs to leave.
          await hop();
          await this.#tell(release);
        }
        release = await sending;
      } else if (release !== null) {
        await this.#tell(release);
        release = null;
        await hop();
      } else if (this.#pause !== null) {
        this.#pause.begin();
        await this.#pause.over;
      } else if (this.#queue.length === 0) break;
    }
    this.#flying = null;
  }

  async #tell(release: Release): Promise<void> {
    this.#turn = await this.#parts.floor.take();
    release();
  }

  /**
   * A step's result is followed by the next wait, the park or the completion a turn or two later, and one of a hundred results that came
   * together by ninety-nine others, a turn each: all of that belongs into one commit. But no run is to hold up the others for longer
   * than it saves: for as long as a commit takes at most.
   */
  async #untilRunsStay(): Promise<void> {
    const { clock } = this.#parts;
    const began = clock.monotonic();
    const longestMs = Math.min(this.#lastTookMs, mostWaitMs);
    for (let turns = 0; this.#goingOn > 0 && turns < mostTurns; turns++) {
      await hop();
      if (turns > 0 && clock.monotonic() - began >= longestMs) return;
    }
  }

  #take(): readonly CommitItem[] {
    return this.#refusals.admitted(this.#queue.splice(0, fittingCount(this.#queue)));
  }

  /** @returns how those who wait for it are told. */
  async #commit(items: readonly CommitItem[]): Promise<Release> {
    try {
      return await this.#send(items);
    } catch (error) {
      if (error instanceof LeaseLostError) {
        this.abandon(error);
        this.#parts.onLeaseLost(error);
      }
      const groups = this.#abandoned === null ? byInstance(items) : [];
      if (groups.length <= 1) {
        this.#refusals.refuse(items, this.#abandoned ?? error);
        return () => undefined;
      }
      // The database refused the batch for something in it: the others must not suffer, so each instance is committed alone.
      const releases: Release[] = [];
      for (const group of groups) releases.push(await this.#commit(group));
      return () => {
        for (const release of releases) release();
      };
    }
  }

  async #send(items: readonly CommitItem[]): Promise<Release> {
    const { runs, workerId, health, storageClock, clock } = this.#parts;
    const seen = this.#seen.namedBy(items);
    const batch = seen.length === 0 ? toBatch(workerId, items) : { ...toBatch(workerId, items), seen };
    const result = await health.keepTrying(async () => {
      let hadTurn = false;
      afterHop(() => (hadTurn = true));
      const sentAt = clock.monotonic();
      const answer = await runs.commit(batch);
      this.#lastTookMs = clock.monotonic() - sentAt;
      this.#leavesTurns = hadTurn;
      storageClock.observe(answer.now, sentAt);
      return answer;
    }, this.#abort.signal);
    this.commits++;
    return () => this.#settle(items, result);
  }

  #settle(items: readonly CommitItem[], result: ProgressResult): void {
    // First: whose park was refused because of it has it then, and does not read.
    const toRead: string[] = [];
    for (const handed of result.handed ?? []) {
      if (this.#parts.onMail(handed)) this.#seen.handed(handed.instanceId, handed.mark);
      else toRead.push(handed.instanceId);
    }
    const wakeups = tellOutcomes(items, result, this.#seen);
    wakeups.push(...result.wakeups);
    if (wakeups.length > 0) this.#parts.onWakeups(wakeups);
    // As a rule there is no news.
    if (result.undelivered.length + result.attention.length + toRead.length === 0) return;
    // That a child has ended, a parent which ended before it need not hear: nothing is lost by that.
    const ends = result.undelivered.length === 0 ? none : new Set(items.flatMap(endMessageIds));
    const undelivered = result.undelivered.filter(({ messageId }) => !ends.has(messageId));
    this.#parts.onNews({ ...result, undelivered, attention: [...result.attention, ...toRead] });
  }
}

/** Of the messages by which ends are told. */
function endMessageIds(item: CommitItem): readonly string[] {
  if (item.type !== 'settlement' || item.settlement.type !== 'finish') return [];
  return item.settlement.messages?.map(({ messageId }) => messageId) ?? [];
}
