// The worker for which work is found, as those see it who find it.
import type { LeaseLostError } from '../domain/errors.js';
import type { ClaimedRun } from '../ports/claim.js';

export interface Claimant {
  readonly workerId: string;
  /** Free places for runs. */
  readonly room: number;
  /** All instances that it knows to own. */
  holding(): readonly string[];
  /** Does something while nothing that it owns is started or put away. */
  alone<T>(work: () => Promise<T>): Promise<T>;
  begin(claimed: ClaimedRun): void;
  /** Instances it owns that something happened to. */
  attend(instanceIds: readonly string[]): void;
  /** Those of which their runs do not know already that they have attention: it stays with mail that came with an answer until it is looked at. */
  surprised(instanceIds: readonly string[]): readonly string[];
  leaseLost(error: LeaseLostError): void;
}
