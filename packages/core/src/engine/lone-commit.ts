// Commits one outcome in the activity's own transaction, behind all that its run recorded before it.
import { LeaseLostError, NotRunningError, StorageUnavailableError } from '../domain/errors.js';
import type { NewHistoryEntry } from '../domain/history.js';
import type { ActivityTransaction } from '../ports/activity-transaction.js';
import type { Effect } from '../ports/effect.js';
import type { CommitNews } from '../ports/progress.js';
import type { RunRecorder } from './run-recorder.js';
import type { RunServices } from './run-services.js';

/**
 * Milliseconds. As long as it waits, the transaction keeps its locks and its connection, and what it waits for may need them: where all other connections
 * of a pool (the user's, or one in front of the database) wait for a row of this transaction, the commits get none. Nobody finds such a circle, so it is
 * broken after a while. A commit takes milliseconds.
 */
export const mostPatienceMs = 5000;

export interface LoneCommitParts {
  readonly services: RunServices;
  readonly recorder: RunRecorder;
}

/** `undone`: the run is over for its code; `late`: what is before it did not become durable, and it may be done once more. */
export type LoneCommitEnd =
  | { readonly type: 'committed'; readonly news: CommitNews }
  | { readonly type: 'refused'; readonly error: unknown }
  | { readonly type: 'undone' }
  | { readonly type: 'late' };

/** What ended the wait. */
type Waited = 'durable' | 'undone' | 'late';

export class LoneCommit {
  readonly #parts: LoneCommitParts;
  readonly #transaction: ActivityTransaction;
  /** Null unless it waits. */
  #endWait: ((as: Waited) => void) | null = null;
  #running: Promise<LoneCommitEnd> | null = null;
  #isGivenUp = false;

  constructor(parts: LoneCommitParts, transaction: ActivityTransaction) {
    this.#parts = parts;
    this.#transaction = transaction;
  }

  /**
   * All entries before it become durable before it, or with it, or a crash would leave a gap in what the code knew. Called once.
   * @throws what ends the run: LeaseLostError; what the database said when it refused something before it; NotRunningError when nobody can tell
   * whether the commit took effect: whoever claims the instance next finds the truth in its history. The transaction is over then.
   */
  run(entry: NewHistoryEntry, effects: readonly Effect[]): Promise<LoneCommitEnd> {
    this.#running = this.#run(entry, effects);
    return this.#running;
  }

  /** Nothing of the run counts any more: a transaction whose commit has not begun is undone at once. */
  giveUp(): void {
    this.#isGivenUp = true;
    this.#endWait?.('undone');
  }

  /** Resolves when the transaction is over. Never rejects. */
  async over(): Promise<void> {
    await this.#running?.catch(() => undefined);
  }

  async #run(entry: NewHistoryEntry, effects: readonly Effect[]): Promise<LoneCommitEnd> {
    const { services, recorder } = this.#parts;
    const isBlocking = services.transactions.blocksCommits;
    if (!isBlocking) {
      const waited = await this.#untilDurable();
      if (waited !== 'durable') return { type: waited };
    }
    try {
      const before = isBlocking ? recorder.pendingBefore(effects) : [];
      const news = await this.#transaction.commit({ workerId: services.workerId, entry, effects, before });
      return { type: 'committed', news };
    } catch (error) {
      await this.#transaction.rollback();
      if (error instanceof LeaseLostError) throw error;
      if (error instanceof StorageUnavailableError) {
        throw new NotRunningError('the outcome of a commit is not known', { cause: error });
      }
      return { type: 'refused', error };
    }
  }

  /** All that was recorded is. With any other answer, and when it rejects, the transaction is undone. */
  async #untilDurable(): Promise<Waited> {
    const { services, recorder } = this.#parts;
    const { last } = recorder;
    if (last === undefined) return 'durable';
    let cancelTimer: (() => void) | undefined;
    try {
      const ended = await new Promise<Waited>((resolve, reject) => {
        this.#endWait = resolve;
        cancelTimer = services.clock.schedule(mostPatienceMs, () => resolve('late'), { keepAlive: true });
        last.done.then(() => resolve('durable'), reject);
      });
      // Also when that came right behind the last commit that was waited for.
      const waited = this.#isGivenUp ? 'undone' : ended;
      if (waited !== 'durable') await this.#transaction.rollback();
      return waited;
    } catch (error) {
      await this.#transaction.rollback();
      throw error;
    } finally {
      this.#endWait = null;
      cancelTimer?.();
    }
  }
}
