// Knows under which claim this process holds an instance, so that the repetition of a lost settlement cannot hit a later claim.
import type { ClaimedRun, ProgressBatch, Settlement } from '@romancy/core/ports';

/** For each settlement of a batch the number of the claim that it ends; null when this process knows of none. */
export type EndedClaims = readonly (number | null)[];

/**
 * The case: a park takes effect, its answer is lost; mail comes, and another claim of this very process takes the instance; now the
 * park is repeated. By the owner alone it would still fit, and put away a run that is under way, mail unread. So a settlement also
 * names the claim that it ends (the `claims` of the row), and when its answer was lost, it goes on naming that one.
 */
export class ClaimFence {
  readonly #current = new Map<string, number>();
  readonly #lost = new WeakMap<Settlement, number>();

  claimed(runs: readonly ClaimedRun[]): void {
    for (const { instanceId, claims } of runs) this.#current.set(instanceId, claims + 1);
  }

  /** To be called before a batch is sent. */
  sending({ starts, settlements }: ProgressBatch): EndedClaims {
    // A start that is owned is its instance's first claim, unless a later one is known: then this start is a repetition.
    for (const { instanceId, owned } of starts) if (owned && !this.#current.has(instanceId)) this.#current.set(instanceId, 1);
    // Without a number the owner alone decides.
    return settlements.map((settlement) => this.#lost.get(settlement) ?? this.#current.get(settlement.instanceId) ?? null);
  }

  /** The answer to the batch did not come. */
  lost({ settlements }: ProgressBatch, claims: EndedClaims): void {
    for (const [index, settlement] of settlements.entries()) {
      const claim = claims[index];
      if (typeof claim === 'number') this.#lost.set(settlement, claim);
    }
  }

  /** The answer came. A claim that was made in the meantime stays known. */
  answered(
    { settlements }: ProgressBatch,
    claims: EndedClaims,
    not: { readonly started: readonly string[]; readonly settled: ReadonlySet<string> },
  ): void {
    for (const [index, { instanceId }] of settlements.entries()) {
      if (!not.settled.has(instanceId) && this.#current.get(instanceId) === claims[index]) this.#current.delete(instanceId);
    }
    // The id belongs to somebody else's instance.
    for (const instanceId of not.started) if (this.#current.get(instanceId) === 1) this.#current.delete(instanceId);
  }

  /** A new identity holds nothing. */
  clear(): void {
    this.#current.clear();
  }
}
