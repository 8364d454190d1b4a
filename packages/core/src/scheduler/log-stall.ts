// Says in the log that a run came to a halt which somebody has to look into.
import { NonDeterminismError } from '../domain/errors.js';
import type { Run } from '../engine/run.js';
import type { Logger } from '../ports/logger.js';

export function logStall(logger: Logger, { instanceId, workflowName }: Run, error: Error): void {
  const why = error instanceof NonDeterminismError ? 'its code does not fit its history' : 'it cannot go on as it is';
  logger.error(`a workflow is stalled: ${why}`, { instanceId, workflowName, error: error.message });
}
