// Hands the live outcomes of one run to its code, each recorded in the moment in which it is handed out.
import type { HistoryEntry } from '../domain/history.js';
import type { ActivityTransaction } from '../ports/activity-transaction.js';
import type { Effect } from '../ports/effect.js';
import { numberedExtras, wakeupsOfEffects } from './entry-extras.js';
import { LoneCommit, mostPatienceMs, type LoneCommitEnd } from './lone-commit.js';
import type { OpenCalls } from './open-calls.js';
import type { DurableCall, Proposal } from './operations/durable-call.js';
import type { RunPump } from './run-pump.js';
import type { EntryFacts, RunRecorder } from './run-recorder.js';
import type { RunServices } from './run-services.js';

export interface OutcomeDeliveryParts {
  readonly instanceId: string;
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
  /** In a transaction of its own: nothing else is handed out meanwhile. */
  #lone: LoneCommit | null = null;
  /** Had come when the run was about to end. */
  #setAside = noProposals;

  constructor(parts: OutcomeDeliveryParts) {
    this.#parts = parts;
  }

  add(proposal: Proposal): void {
    if (this.#proposals === null) this.#proposals = [proposal];
    else this.#proposals.push(proposal);
  }

  /** Nothing waits for its turn, or is being committed. */
  get isEmpty(): boolean {
    return this.#proposals === null && this.#lone === null;
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
    this.#lone?.giveUp();
    if (this.#proposals === null) return;
    const all = this.#proposals;
    this.#proposals = null;
    for (const { transaction } of all) void transaction?.rollback();
    this.#setAside = all.filter(({ transaction }) => transaction === undefined);
  }

  /** Resolves when no transaction is being committed. Never rejects. */
  async commitOver(): Promise<void> {
    await this.#lone?.over();
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
    const { services, recorder } = this.#parts;
    const entry = recorder.number(facts);
    const effects = effectsOf(proposal, entry);
    const lone = new LoneCommit(this.#parts, transaction);
    this.#lone = lone;
    let end: LoneCommitEnd;
    try {
      end = await lone.run(entry, effects);
    } finally {
      this.#lone = null;
    }
    if (end.type === 'committed') {
      services.tell([...wakeupsOfEffects(effects), ...end.news.wakeups]);
      services.onNews(end.news);
      proposal.committed?.();
      this.#hand(proposal.call, entry);
    } else if (this.#parts.mayGoLive) {
      if (end.type === 'refused') proposal.refused?.(end.error);
      else if (end.type === 'late') this.#repeat(proposal);
    }
  }

  #repeat({ call, again }: Proposal): void {
    const { services, instanceId } = this.#parts;
    services.logger.warn('an activity is done again: its transaction waited too long for commits of its run, and was undone', {
      instanceId,
      activityId: call.id,
      waitedMs: mostPatienceMs,
    });
    again?.();
  }

  #hand(call: DurableCall, entry: HistoryEntry): void {
    if (call.apply(entry)) this.#parts.calls.delete(call);
    this.#parts.pump.codeIsGiven();
  }
}
