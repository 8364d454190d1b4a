// Who goes first for what another process announced, so that not all processes claim the same.
import type { Clock } from '../ports/clock.js';
import type { Entropy } from '../ports/entropy.js';

/** With so many peers or fewer, all go at once: that costs less than anybody's wait. */
const mostPeersAtOnce = 3;
/** How many go at once when there are more. */
const firstCount = 2;
const shortestWaitMs = 20;
const longestWaitMs = 150;
const jitterMs = 20;
/** Announcements that wait here at a time; of those beyond, one claim when the longest wait is over takes care. */
const mostWaiting = 1000;
/** Of what was sent to whoever is subscribed: when so many instances were claimed meanwhile, there are many, and all hands are needed. */
export const manyClaimed = 20;
/** So long before a due time is noticed here, others may have claimed for it: no two clocks and event loops are the same. */
const noticedLateMs = 20;

export interface HerdParts {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly workerId: () => string | null;
  /** Other workers of the same workflows. */
  readonly peers: () => readonly string[];
  readonly claim: (cause: TurnCause) => void;
}

/** What a claim is for: a note of another process, or a due time. */
export type TurnCause = 'told' | 'due';

/** A due time that a claim of this process told. */
export interface LearnedDueTime {
  readonly at: number;
  /** It is this process that must see to it: it claimed something then, so that others did not ask, or the time is of its own making. */
  readonly isKnownHere: boolean;
  /** When that claim was sent, by the monotonic clock. */
  readonly sentAt: number;
}

interface Waiting {
  /** By the monotonic clock. */
  readonly until: number;
  /** Of what is for nobody by name: how many such claims of others had been heard of when it was announced. */
  readonly claimsBefore: number | null;
  readonly cause: TurnCause;
}

/**
 * Rendezvous hashing: every process ranks all workers for an instance by the same rule, so they agree without a word. Where their views of
 * who is there differ for some seconds, one more goes first, or one less; nobody waits longer than {@link longestWaitMs}.
 */
export class Herd {
  readonly #parts: HerdParts;
  readonly #waiting = new Map<string, Waiting>();
  /** How many claims of others were heard of that no announcement by name explains. */
  #claims = 0;
  /** How many of these came lately: since {@link Herd.#latelySince}, by the monotonic clock. */
  #lately = 0;
  #latelySince = Number.NEGATIVE_INFINITY;
  /** When the last claim of another was heard of, by the monotonic clock. */
  #heardAt = Number.NEGATIVE_INFINITY;
  /** The due time that the last claim of this process told. */
  #learned: LearnedDueTime | null = null;
  #overflowAt = Number.POSITIVE_INFINITY;
  #armedFor = Number.POSITIVE_INFINITY;
  #cancelTimer: (() => void) | null = null;
  /** The list of peers that the seeds are of. */
  #seeded: readonly string[] | null = null;
  #seeds = new Uint32Array(0);

  constructor(parts: HerdParts) {
    this.#parts = parts;
  }

  /** Whether there are so many that they go by turns, and tell each other what they claimed. */
  get isCrowd(): boolean {
    return this.#parts.peers().length > mostPeersAtOnce;
  }

  /** Another process announced that this instance can be claimed. */
  announced(instanceId: string): void {
    this.#announced(instanceId, { claimsBefore: null, cause: 'told' });
  }

  /** Another process announced something that makes instances claimable which are not named, most often one. */
  announcedToSome(id: string): void {
    this.#announced(id, { claimsBefore: this.#claims, cause: 'told' });
  }

  /** A claim of this process told that something is due at that time; null: it told of nothing. */
  learned(dueTime: LearnedDueTime | null): void {
    // A claim in between for something else tells the same once more.
    if (this.#learned?.isKnownHere === true && dueTime?.at === this.#learned.at) return;
    this.#learned = dueTime;
  }

  /**
   * Something is due now, which each process knows that heard the note of who has put it away, or an upkeep; of what, none of them can
   * tell. Two go first, and who has claimed at the due time before: it knows this one by its claim, which the others did not make.
   */
  due(moment: number): void {
    const learned = this.#learned;
    // In vain, and nobody else had it: then nobody else knows more than this process either.
    if (learned?.at === moment && (learned.isKnownHere || this.#heardAt < learned.sentAt)) this.#parts.claim('due');
    else {
      const isLate = this.#parts.clock.monotonic() - this.#latelySince <= noticedLateMs;
      // A line break is in no id.
      this.#announced(`due\n${moment}`, { claimsBefore: this.#claims - (isLate ? this.#lately : 0), cause: 'due' });
    }
  }

  /** Somebody has claimed it. `isNamed`: it had been announced by name, so that says nothing about what is for nobody by name. */
  claimed(instanceId: string, { isNamed }: { readonly isNamed: boolean }): void {
    const now = this.#parts.clock.monotonic();
    this.#heardAt = now;
    if (!isNamed) {
      this.#claims++;
      if (now - this.#latelySince > noticedLateMs) {
        this.#latelySince = now;
        this.#lately = 0;
      }
      this.#lately++;
    }
    this.#waiting.delete(instanceId);
  }

  stop(): void {
    this.#cancelTimer?.();
    this.#waiting.clear();
  }

  #announced(id: string, why: Pick<Waiting, 'claimsBefore' | 'cause'>): void {
    const workerId = this.#parts.workerId();
    if (workerId === null) return;
    const peers = this.#parts.peers();
    const rank = peers.length > mostPeersAtOnce ? this.#rank(id, workerId, peers) : 0;
    if (rank < firstCount) {
      this.#parts.claim(why.cause);
      return;
    }
    // Announced again while it waits: its turn will be after this, and comes no later for it. (Claimed meanwhile, it would not be waiting.)
    if (this.#waiting.has(id)) return;
    const now = this.#parts.clock.monotonic();
    if (this.#waiting.size >= mostWaiting) {
      this.#overflowAt = Math.min(this.#overflowAt, now + longestWaitMs);
      this.#armFor(this.#overflowAt);
      return;
    }
    const span = longestWaitMs - shortestWaitMs - jitterMs;
    // Few go early and most late: the word that it was claimed, somewhat late on a busy machine, still comes in time for most.
    const share = Math.sqrt((rank - firstCount) / Math.max(1, peers.length - firstCount));
    const until = now + shortestWaitMs + span * share + jitterMs * this.#parts.entropy.random();
    this.#waiting.set(id, { until, ...why });
    this.#armFor(until);
  }

  #armFor(moment: number): void {
    if (moment >= this.#armedFor) return;
    this.#cancelTimer?.();
    this.#armedFor = moment;
    const { clock } = this.#parts;
    this.#cancelTimer = clock.schedule(Math.max(0, moment - clock.monotonic()), () => this.#rise());
  }

  #rise(): void {
    this.#armedFor = Number.POSITIVE_INFINITY;
    const now = this.#parts.clock.monotonic();
    const causes = new Set<TurnCause>();
    if (this.#overflowAt <= now) causes.add('told');
    if (causes.size > 0) this.#overflowAt = Number.POSITIVE_INFINITY;
    let next = this.#overflowAt;
    for (const [id, { until, claimsBefore, cause }] of this.#waiting) {
      if (until > now) next = Math.min(next, until);
      else {
        const claimed = claimsBefore === null ? 0 : this.#claims - claimsBefore;
        if (claimed === 0 || claimed >= manyClaimed) causes.add(cause);
        this.#waiting.delete(id);
      }
    }
    for (const cause of causes) this.#parts.claim(cause);
    if (next < Number.POSITIVE_INFINITY) this.#armFor(next);
  }

  /** How many of the peers come before this worker. */
  #rank(id: string, workerId: string, peers: readonly string[]): number {
    if (peers !== this.#seeded) {
      this.#seeded = peers;
      this.#seeds = Uint32Array.from(peers, hash);
    }
    const hashed = hash(id);
    const own = mixed(hashed ^ hash(workerId));
    let before = 0;
    for (const seed of this.#seeds) if (mixed(hashed ^ seed) > own) before++;
    return before;
  }
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  return value >>> 0;
}

/** The finishing steps of MurmurHash3: one bit of difference changes half of all. */
function mixed(value: number): number {
  let bits = value;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
