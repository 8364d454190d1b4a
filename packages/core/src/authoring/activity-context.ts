// What an activity function is given besides its input.
import type { Logger } from '../ports/logger.js';
import type { Sender } from './messaging.js';

/** The context of one attempt of one activity. What it sends goes out when the attempt succeeds, in the same commit, and otherwise not. */
export interface ActivityContext extends Sender {
  readonly instanceId: string;
  readonly workflowName: string;
  /** The id of the call in its instance, such as `charge:1`; with `instanceId` a natural idempotency key. */
  readonly activityId: string;
  /** Which attempt this is, from 1. */
  readonly attempt: number;
  /**
   * Aborts when the attempt takes longer than its timeout, when the instance is cancelled, and when the process must let go of it.
   * The result of an attempt whose signal has aborted is not recorded.
   */
  readonly signal: AbortSignal;
  /** Writes lines that carry the ids above. */
  readonly logger: Logger;
}
