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
const manyClaimed = 20;

export interface HerdParts {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly workerId: () => string | null;
  /** Other workers of the same workflows. */
  readonly peers: () => readonly string[];
  readonly claim: () => void;
}

interface Waiting {
  /** By the monotonic clock. */
  readonly until: number;
  /** Of what is for nobody by name: how many such claims of others had been heard of when it was announced. */
  readonly claimsBefore: number | null;
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
    this.#announced(instanceId, null);
  }

  /** Another process announced something that makes instances claimable which are not named, most often one. */
  announcedToSome(id: string): void {
    this.#announced(id, this.#claims);
  }

  /** Somebody has claimed it. `isNamed`: it had been announced by name, so that says nothing about what is for nobody by name. */
  claimed(instanceId: string, { isNamed }: { readonly isNamed: boolean }): void {
    if (!isNamed) this.#claims++;
    this.#waiting.delete(instanceId);
  }

  stop(): void {
    this.#cancelTimer?.();
    this.#waiting.clear();
  }

  #announced(id: string, claimsBefore: number | null): void {
    const workerId = this.#parts.workerId();
    if (workerId === null) return;
    const peers = this.#parts.peers();
    const rank = peers.length > mostPeersAtOnce ? this.#rank(id, workerId, peers) : 0;
    if (rank < firstCount) {
      this.#parts.claim();
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
    this.#waiting.set(id, { until, claimsBefore });
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
    let claims = this.#overflowAt <= now;
    if (claims) this.#overflowAt = Number.POSITIVE_INFINITY;
    let next = this.#overflowAt;
    for (const [id, { until, claimsBefore }] of this.#waiting) {
      if (until > now) next = Math.min(next, until);
      else {
        const claimed = claimsBefore === null ? 0 : this.#claims - claimsBefore;
        if (claimed === 0 || claimed >= manyClaimed) claims = true;
        this.#waiting.delete(id);
      }
    }
    if (claims) this.#parts.claim();
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
