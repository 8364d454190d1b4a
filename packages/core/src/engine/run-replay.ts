// Hands out recorded outcomes in their recorded order, and finds where the code does something else.
import { NonDeterminismError } from '../domain/errors.js';
import type { HistoryEntry, HistoryKind } from '../domain/history.js';
import type { Clock } from '../ports/clock.js';
import type { CallIds } from './call-ids.js';
import { describeCall, describeEntry, verbOf, type Verb } from './determinism.js';
import { isRecordedAtTheCall, type HistoryCursor } from './history-cursor.js';
import type { OpenCalls } from './open-calls.js';
import type { DurableCall } from './operations/durable-call.js';

/** How long a call that history has and the code has not made yet is waited for, while the code awaits something of its own. */
const foreignAwaitMs = 10_000;

export interface RunReplayParts {
  readonly instanceId: string;
  readonly workflowName: string;
  readonly cursor: HistoryCursor;
  readonly ids: CallIds;
  readonly calls: OpenCalls;
  readonly clock: Clock;
  /** History was loaded up to this number. */
  onHistoryLoaded(lastSeq: number): void;
  /** The last entry was taken: calls that are still open begin in earnest. */
  onHistoryUsedUp(): void;
}

/** How a replay waits for the code, which awaits something of its own. */
export interface Sleep {
  /** Resolves when the code moved, or {@link Sleep.wakeUp} was called. */
  untilWoken(): Promise<void>;
  wakeUp(): void;
}

/** Strict about order, position and id; every mismatch is a {@link NonDeterminismError} that shows both sides. */
export class RunReplay {
  readonly #parts: RunReplayParts;

  constructor(parts: RunReplayParts) {
    this.#parts = parts;
    parts.onHistoryLoaded(parts.cursor.lastSeq);
  }

  /** The entry that comes next; undefined when history is used up. */
  get next(): HistoryEntry | undefined {
    return this.#parts.cursor.next;
  }

  /** Whether {@link RunReplay.prepare} has nothing to do. */
  get isPrepared(): boolean {
    return this.#parts.cursor.isPrepared;
  }

  /** Takes the next entry if it is of this kind, which belongs to no call of the code. */
  takeOf(kind: HistoryKind): HistoryEntry | undefined {
    const entry = this.next;
    if (entry?.kind !== kind) return undefined;
    this.#advance();
    return entry;
  }

  /** Makes sure that all that the code may ask for before the next outcome is at hand. */
  async prepare(): Promise<void> {
    await this.#parts.cursor.prepare();
    this.#parts.onHistoryLoaded(this.#parts.cursor.lastSeq);
  }

  /** Hands out the next entry, if nothing has to be loaded or waited for. @throws NonDeterminismError */
  take(entry: HistoryEntry): boolean {
    const call = this.#parts.calls.at(entry.position);
    if (call === undefined || !this.isPrepared) return false;
    this.#check(entry, call);
    this.#take(entry, call);
    return true;
  }

  /**
   * Hands out the next entry. When the code has not made its call yet (it may await a digest or an import of its own), waits until
   * the code moved, or something else happened, and returns: call it again.
   * @throws NonDeterminismError
   */
  async step(entry: HistoryEntry, sleep: Sleep): Promise<void> {
    const call = this.#parts.calls.at(entry.position);
    if (call !== undefined) {
      this.#check(entry, call);
      await this.prepare();
      this.#take(entry, call);
      return;
    }
    if (entry.position < this.#parts.ids.issued) {
      throw this.#mismatch(entry.position, 'made another call there, whose outcome came earlier', entry);
    }
    await this.#awaitCall(entry, sleep);
  }

  /** Takes an entry that was recorded when the code made this call, if it comes next. @throws NonDeterminismError */
  takeAtTheCall(call: DurableCall): void {
    const entry = this.next;
    if (entry?.position !== call.position || !isRecordedAtTheCall(entry.kind)) return;
    this.#check(entry, call);
    this.#take(entry, call);
  }

  /**
   * The entry of a call that has its outcome at once. As a rule it comes next; code that awaited something of its own (an import that is
   * loaded by now) may be here before outcomes that it was given earlier then. What it asks for is the same.
   * @throws NonDeterminismError
   */
  takeAtOnce(call: {
    readonly position: number;
    readonly id: string;
    readonly verb: Verb;
    readonly kind: HistoryKind;
  }): HistoryEntry {
    const isOf = ({ kind, position, callId }: HistoryEntry): boolean =>
      kind === call.kind && position === call.position && callId === call.id;
    const entry = this.next!;
    if (isOf(entry)) {
      this.#advance();
      return entry;
    }
    const later = this.#parts.cursor.takeOut(isOf);
    if (later === undefined) throw this.#mismatch(call.position, describeCall(call), entry);
    return later;
  }

  /** The code has ended: @returns an error when history goes on. */
  checkEnd(status: string): NonDeterminismError | null {
    const left = this.next;
    return left === undefined
      ? null
      : this.#mismatch(left.position, `ended (${status}) after ${this.#parts.ids.issued} calls`, left);
  }

  #take(entry: HistoryEntry, call: DurableCall): void {
    if (call.apply(entry)) this.#parts.calls.delete(call);
    this.#advance();
  }

  #check(entry: HistoryEntry, call: DurableCall): void {
    if (verbOf(entry.kind) !== call.verb || entry.callId !== call.id) {
      throw this.#mismatch(entry.position, describeCall(call), entry);
    }
  }

  #advance(): void {
    this.#parts.cursor.advance();
    if (this.next === undefined) this.#parts.onHistoryUsedUp();
  }

  async #awaitCall(entry: HistoryEntry, sleep: Sleep): Promise<void> {
    let late = false;
    const woken = sleep.untilWoken();
    const cancel = this.#parts.clock.schedule(foreignAwaitMs, () => {
      late = true;
      sleep.wakeUp();
    });
    await woken;
    cancel();
    if (late) {
      throw this.#mismatch(
        entry.position,
        `nothing for ${foreignAwaitMs / 1000} s, after ${this.#parts.ids.issued} calls`,
        entry,
      );
    }
  }

  #mismatch(position: number, actual: string, entry: HistoryEntry): NonDeterminismError {
    const { instanceId, workflowName } = this.#parts;
    return new NonDeterminismError({ instanceId, workflowName, position, actual, expected: describeEntry(entry) });
  }
}
