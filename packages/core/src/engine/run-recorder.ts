// Numbers and records the entries of one run, and knows which of them are durable.
import type { HistoryEntry, NewHistoryEntry } from '../domain/history.js';
import type { PendingProgress } from '../ports/activity-transaction.js';
import type { Effect } from '../ports/effect.js';
import type { NewInstance } from '../ports/new-instance.js';
import type { NewSubscription } from '../ports/subscription.js';
import type { CallIdentity } from './call-ids.js';
import { numberedExtras, withoutUndone, type EntryExtras, type ExtraFacts } from './entry-extras.js';
import { MembershipOrder } from './membership-order.js';
import type { Commitment } from './progress.js';
import type { RunServices } from './run-services.js';

/** An entry before it has a number. */
export type EntryFacts = Omit<NewHistoryEntry, 'instanceId' | 'seq' | 'callId'> & CallIdentity;

interface Recorded {
  readonly entry: NewHistoryEntry;
  readonly extras: EntryExtras | undefined;
  readonly commitment: Commitment;
  /** What was recorded after it. */
  next: Recorded | null;
}

interface Held {
  readonly entry: NewHistoryEntry;
  readonly extras: EntryExtras | undefined;
}

/**
 * open → holding (a park is on its way: what the code still records is kept back) → open again when the park was refused;
 * closed: behind a settlement nothing may follow, and code that is still at it then is nobody's.
 */
export class RunRecorder {
  readonly #instanceId: string;
  readonly #services: RunServices;
  /** What was recorded and was not yet seen to be durable, oldest first: most often one, for which an array would be large. */
  #oldest: Recorded | null = null;
  #latest: Recorded | null = null;
  #pending = 0;
  /** Null: nothing. */
  #held: Held[] | null = null;
  #state: 'open' | 'holding' | 'closed' = 'open';
  #seq = 0;

  constructor(instanceId: string, services: RunServices) {
    this.#instanceId = instanceId;
    this.#services = services;
  }

  /**
   * The entry with its number, as it will come back from the storage, but for the exact time. Numbers ascend; one that is then not used
   * leaves a gap, which is allowed. (Written out, here and where else thousands are made in a second: to spread one object into another
   * costs fifteen times the memory.)
   */
  number(facts: EntryFacts): HistoryEntry {
    const { id, position, kind, data, dueAt } = facts;
    const recordedAt = this.#services.storageTime.now();
    return { instanceId: this.#instanceId, seq: ++this.#seq, callId: id, position, kind, data, dueAt, recordedAt };
  }

  /** History that was read goes up to this number. */
  continueAfter(seq: number): void {
    if (seq > this.#seq) this.#seq = seq;
  }

  /** @param extras what goes into the same commit. */
  record(facts: EntryFacts, extras?: ExtraFacts): HistoryEntry {
    const entry = this.number(facts);
    const numbered = extras === undefined ? undefined : numberedExtras(extras, entry);
    if (this.#state === 'holding') (this.#held ??= []).push({ entry, extras: numbered });
    else if (this.#state === 'open') this.#send(entry, numbered);
    return entry;
  }

  /** The durability of the latest thing recorded; undefined when all is durable. Commits keep the order, so the latest speaks for all. */
  get last(): Commitment | undefined {
    return this.#latest === null || this.#latest.commitment.durable ? undefined : this.#latest.commitment;
  }

  /** How many entries are not known to be durable. */
  get undurable(): number {
    this.#forgetDurable();
    return this.#pending;
  }

  /**
   * What is not known to be durable, in as many pieces as it takes to keep the order of effects, of which the last can be committed together with
   * these effects.
   */
  pendingBefore(effects: readonly Effect[]): readonly PendingProgress[] {
    this.#forgetDurable();
    const pieces: Recorded[][] = [[]];
    let memberships = new MembershipOrder();
    const keepOrder = (next: readonly Effect[]): void => {
      if (memberships.keeps(next)) return;
      pieces.push([]);
      memberships = new MembershipOrder();
      memberships.keeps(next);
    };
    for (let recorded = this.#oldest; recorded !== null; recorded = recorded.next) {
      keepOrder(recorded.extras?.effects ?? []);
      pieces.at(-1)!.push(recorded);
    }
    keepOrder(effects);
    return pieces.map((piece) => this.#progressOf(piece));
  }

  #progressOf(recorded: readonly Recorded[]): PendingProgress {
    const entries: NewHistoryEntry[] = [];
    const starts: NewInstance[] = [];
    const effects: Effect[] = [];
    const subscriptions: NewSubscription[] = [];
    const takenMail: { instanceId: string; mailId: string }[] = [];
    for (const { entry, extras } of recorded) {
      entries.push(entry);
      if (extras === undefined) continue;
      if (extras.start !== undefined) starts.push(extras.start);
      if (extras.subscription !== undefined) subscriptions.push(extras.subscription);
      if (extras.takenMailId !== undefined) takenMail.push({ instanceId: this.#instanceId, mailId: extras.takenMailId });
      effects.push(...extras.effects);
    }
    return { starts, entries, effects: withoutUndone(effects), subscriptions, takenMail };
  }

  hold(): void {
    this.#state = 'holding';
  }

  /** The park was refused: what was held goes out now. */
  letGo(): void {
    this.#state = 'open';
    const held = this.#held ?? [];
    this.#held = null;
    for (const { entry, extras } of held) this.#send(entry, extras);
  }

  close(): void {
    this.#state = 'closed';
  }

  #send(entry: NewHistoryEntry, extras: EntryExtras | undefined): void {
    const commitment = this.#services.progress.record(entry, extras);
    this.#forgetDurable();
    const recorded: Recorded = { entry, extras, commitment, next: null };
    if (this.#latest === null) this.#oldest = recorded;
    else this.#latest.next = recorded;
    this.#latest = recorded;
    this.#pending++;
  }

  #forgetDurable(): void {
    while (this.#oldest?.commitment.durable === true) {
      this.#oldest = this.#oldest.next;
      this.#pending--;
    }
    if (this.#oldest === null) this.#latest = null;
  }
}
