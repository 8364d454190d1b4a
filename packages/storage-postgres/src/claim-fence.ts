// Knows under which claim this process holds an instance, so that the repetition of an old settlement cannot hit a new claim.
import type { ClaimedRun, NewInstance, Settlement } from '@romancy/core/ports';

/**
 * The case: a park takes effect, its answer is lost; mail comes, and another claim of this very process takes the instance; now the
 * park is repeated. By the owner alone it would still fit, and put away a run that is under way. So a settlement also names the
 * number of the claim that it ends: the one that was current when it was sent for the first time.
 */
export class ClaimFence {
  readonly #current = new Map<string, number>();
  readonly #firstSent = new WeakMap<Settlement, number>();

  claimed(runs: readonly ClaimedRun[]): void {
    for (const { instanceId, claims } of runs) this.#current.set(instanceId, claims + 1);
  }

  /** A start that is owned is its instance's first claim, unless this process knows of a later one: then the start is a repetition. */
  starting(starts: readonly NewInstance[]): void {
    for (const { instanceId, owned } of starts) if (owned && !this.#current.has(instanceId)) this.#current.set(instanceId, 1);
  }

  /** The claim that a settlement ends; null when this process knows of none (then the owner alone decides). */
  claimOf(settlement: Settlement): number | null {
    const claim = this.#firstSent.get(settlement) ?? this.#current.get(settlement.instanceId);
    if (claim === undefined) return null;
    this.#firstSent.set(settlement, claim);
    return claim;
  }

  /** The settlement took effect, now or before. A claim that came later stays. */
  ended(settlement: Settlement): void {
    const { instanceId } = settlement;
    if (this.#current.get(instanceId) === this.#firstSent.get(settlement)) this.#current.delete(instanceId);
  }

  /** A start was refused: the id belongs to somebody else's instance. */
  refusedStart(instanceId: string): void {
    if (this.#current.get(instanceId) === 1) this.#current.delete(instanceId);
  }

  /** A new identity holds nothing. */
  clear(): void {
    this.#current.clear();
  }
}
