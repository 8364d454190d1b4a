// Reads the history of one instance in order, page by page, and never holds more than it must.
import type { HistoryEntry, HistoryKind } from '../domain/history.js';
import type { ClaimedRun } from '../ports/claim.js';

/** Entries written when the code makes the call; all others are outcomes. */
const atTheCall: ReadonlySet<HistoryKind> = new Set([
  'value',
  'timer_set',
  'wait_set',
  'receive_set',
  'published',
  'sent_to',
  'event_sent',
  'group_joined',
  'group_left',
  'unsubscribed',
]);

/** Whether an entry of this kind is written at the call, not at the outcome. */
export function isRecordedAtTheCall(kind: HistoryKind): boolean {
  return atTheCall.has(kind);
}

/** The storage, as far as the history of one instance goes. */
export interface HistorySource {
  /** Gives the entries after `afterSeq`, ascending, at most a page; empty at the end. */
  loadHistory(afterSeq: number): Promise<readonly HistoryEntry[]>;
}

/** The place in history up to which a replay has come. */
export class HistoryCursor {
  #page: readonly HistoryEntry[];
  #index = 0;
  #complete: boolean;
  #lastSeq: number;
  readonly #source: HistorySource;

  /** @param claimed what came with the claim. */
  constructor(claimed: Pick<ClaimedRun, 'history' | 'historyStart' | 'historyComplete'>, source: HistorySource) {
    this.#page = claimed.history;
    this.#complete = claimed.historyComplete;
    this.#source = source;
    this.#lastSeq = claimed.history.at(-1)?.seq ?? claimed.historyStart;
  }

  /** The next entry; undefined when history is used up. Valid after `prepare`. */
  get next(): HistoryEntry | undefined {
    return this.#page[this.#index];
  }

  /** The highest `seq` read so far; after the end, the highest of all. */
  get lastSeq(): number {
    return this.#lastSeq;
  }

  advance(): void {
    this.#index++;
    // Used up: a run that goes on for long must not hold what it has replayed.
    if (this.#index === this.#page.length) {
      this.#page = [];
      this.#index = 0;
    }
  }

  /** The first such entry behind the next one, as far as history is loaded, which then never comes next; undefined when there is none. */
  takeOut(isWanted: (entry: HistoryEntry) => boolean): HistoryEntry | undefined {
    const ahead = this.#page.slice(this.#index);
    const found = ahead.findIndex((entry, index) => index > 0 && isWanted(entry));
    if (found === -1) return undefined;
    const [entry] = ahead.splice(found, 1);
    this.#page = ahead;
    this.#index = 0;
    return entry;
  }

  /** Whether {@link HistoryCursor.prepare} has nothing to load. */
  get isPrepared(): boolean {
    return this.#complete || this.#outcomeAhead();
  }

  /**
   * Loads on until an outcome lies ahead or history is complete. The code asks synchronously for what is recorded at the call, and
   * between two outcomes there can be any number of such entries: all of them must be at hand before the code goes on.
   */
  async prepare(): Promise<void> {
    while (!this.isPrepared) {
      const more = await this.#source.loadHistory(this.#lastSeq);
      if (more.length === 0) {
        this.#complete = true;
        return;
      }
      this.#page = [...this.#page.slice(this.#index), ...more];
      this.#index = 0;
      this.#lastSeq = more.at(-1)!.seq;
    }
  }

  /** An outcome behind the next entry, so that the code may go on from the next one without running out of what is loaded. */
  #outcomeAhead(): boolean {
    for (let index = this.#index + 1; index < this.#page.length; index++) {
      if (!atTheCall.has(this.#page[index]!.kind)) return true;
    }
    return false;
  }
}
