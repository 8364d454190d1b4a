// Hands the live outcomes of one run to its code, each recorded in the moment in which it is handed out.
import { LeaseLostError, NotRunningError, StorageUnavailableError } from '../domain/errors.js';
import type { HistoryEntry } from '../domain/history.js';
import type { ActivityTransaction } from '../ports/activity-transaction.js';
import type { Effect } from '../ports/effect.js';
import type { CommitNews } from '../ports/progress.js';
import { numberedExtras, wakeupsOfEffects } from './entry-extras.js';
import type { OpenCalls } from './open-calls.js';
import type { DurableCall, Proposal } from './operations/durable-call.js';
import type { RunPump } from './run-pump.js';
import type { EntryFacts, RunRecorder } from './run-recorder.js';
import type { RunServices } from './run-services.js';

export interface OutcomeDeliveryParts {
  readonly services: RunServices;
  readonly calls: OpenCalls;
  readonly recorder: RunRecorder;
  readonly pump: RunPump;
  /** False: the run takes no more outcomes, or is to end as cancelled, and calls are told nothing more. */
  readonly mayGoLive: boolean;
}

const noEffects: readonly Effect[] = [];
const noProposals: readonly Proposal[] = [];

function effectsOf({ extras }: Proposal, { instanceId, seq }: HistoryEntry): readonly Effect[] {
  if (extras?.effects === undefined) return noEffects;
  return numberedExtras(extras, { instanceId, seq }).effects;
}

/** Outcomes wait here for their turn, in the order in which they came. */
export class OutcomeDelivery {
  readonly #parts: OutcomeDeliveryParts;
  /** Null: none, as nearly always. An array that many go through one at a time keeps room for more than there ever are. */
  #proposals: Proposal[] | null = null;
  /** Had come when the run was about to end. */
  #setAside = noProposals;

  constructor(parts: OutcomeDeliveryParts) {
    this.#parts = parts;
  }

  add(proposal: Proposal): void {
    if (this.#proposals === null) this.#proposals = [proposal];
    else this.#proposals.push(proposal);
  }

  /** Nothing waits for its turn. */
  get isEmpty(): boolean {
    return this.#proposals === null;
  }

  /** Hands out the next outcome; undefined when there is none. The promise is of one that is committed in a transaction of its own. */
  next(): 'again' | Promise<void> | undefined {
    if (this.#proposals === null) return undefined;
    const proposal = this.#proposals.shift()!;
    if (this.#proposals.length === 0) this.#proposals = null;
    return proposal.voided?.() === true ? 'again' : this.#deliver(proposal);
  }

  /** None of what waits will be handed out, unless the end is refused; transactions that wait with it are ended. */
  abandon(): void {
    if (this.#proposals === null) return;
    const all = this.#proposals;
    this.#proposals = null;
    for (const { transaction } of all) void transaction?.rollback();
    this.#setAside = all.filter(({ transaction }) => transaction === undefined);
  }

  /** The end was refused: what was done by then may have to be undone, and so it is handed out after all. */
  takeBack(): void {
    for (const proposal of this.#setAside) this.add(proposal);
    this.#setAside = noProposals;
  }

  #deliver(proposal: Proposal): 'again' | Promise<void> {
    const { call, transaction, committed } = proposal;
    const { recorder } = this.#parts;
    const facts = { position: call.position, id: call.id, kind: proposal.kind, data: proposal.data, dueAt: proposal.dueAt };
    if (transaction !== undefined) return this.#deliverAlone(proposal, transaction, facts);
    const entry = recorder.record(facts, proposal.extras);
    // On the promise itself, without a turn in between: the hook of the last step is called before the one of the end.
    if (committed !== undefined) recorder.last?.done.then(committed, () => undefined);
    this.#hand(call, entry);
    return 'again';
  }

  async #deliverAlone(proposal: Proposal, transaction: ActivityTransaction, facts: EntryFacts): Promise<void> {
    const committed = await this.#commitAlone(proposal, transaction, facts);
    if (committed === null) return;
    const { entry, news } = committed;
    const { services } = this.#parts;
    services.tell([...wakeupsOfEffects(effectsOf(proposal, entry)), ...news.wakeups]);
    services.onNews(news);
    proposal.committed?.();
    this.#hand(proposal.call, entry);
  }

  #hand(call: DurableCall, entry: HistoryEntry): void {
    if (call.apply(entry)) this.#parts.calls.delete(call);
    this.#parts.pump.codeIsGiven();
  }

  /**
   * Commits one outcome in the activity's own transaction; null when that did not happen. All entries before it become durable before it, or with it,
   * or a crash would leave a gap in what the code knew. When nobody can tell whether the commit took effect, the
   * run is broken off: whoever claims the instance next finds the truth in its history.
   */
  async #commitAlone(
    proposal: Proposal,
    transaction: ActivityTransaction,
    facts: EntryFacts,
  ): Promise<{ readonly entry: HistoryEntry; readonly news: CommitNews } | null> {
    const { services, recorder } = this.#parts;
    const entry = recorder.number(facts);
    const effects = effectsOf(proposal, entry);
    const isBlocking = services.transactions.blocksCommits;
    if (!isBlocking) await this.#untilDurable(transaction);
    try {
      const before = isBlocking ? recorder.pendingBefore(effects) : [];
      const news = await transaction.commit({ workerId: services.workerId, entry, effects, before });
      return { entry, news };
    } catch (error) {
      await transaction.rollback();
      if (error instanceof LeaseLostError) throw error;
      if (error instanceof StorageUnavailableError) {
        throw new NotRunningError('the outcome of a commit is not known', { cause: error });
      }
      if (this.#parts.mayGoLive) proposal.refused?.(error);
      return null;
    }
  }

  /** All that was recorded is. Rejects, with the transaction undone, when it will never be. */
  async #untilDurable(transaction: ActivityTransaction): Promise<void> {
    try {
      await this.#parts.recorder.last?.done;
    } catch (error) {
      await transaction.rollback();
      throw error;
    }
  }
}
