// Hands back an instance whose run was broken off though its worker lives: it must not stay owned with nobody to run it.
import type { Run } from '../engine/run.js';
import type { StorageTime } from '../engine/run-services.js';
import type { Logger } from '../ports/logger.js';
import type { Committer } from './committer.js';

/** It is tried again so many milliseconds later: what broke the run off may pass. */
const laterMs = 1000;

/**
 * Resolves when it is nobody's, or that could not be reached, which is logged. Never rejects.
 * @param parts `committer`: that of the run, so that this comes behind what the run has still recorded. `signal` aborts when the worker
 * gives up all that it holds: then a failure says nothing.
 */
export async function handBack(
  { instanceId, workflowName, claim }: Run,
  reason: Error,
  {
    committer,
    storageTime,
    logger,
    signal,
  }: {
    readonly committer: Committer;
    readonly storageTime: StorageTime;
    readonly logger: Logger;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  logger.warn('a run was broken off, its instance is handed back', { instanceId, workflowName, reason: reason.message });
  try {
    const wakeAt = storageTime.ahead() + laterMs;
    const wakeup = { kind: 'timer_expired', instanceId, timerId: 'handed back', expiresAt: wakeAt } as const;
    await committer.settle({ type: 'release', instanceId, claim, wakeAt }, [wakeup]);
  } catch (error) {
    if (!signal.aborted) {
      logger.error('an instance could not be handed back', { instanceId, workflowName, error: String(error) });
    }
  }
}
