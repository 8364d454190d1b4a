// The commit of all that a process did since its last one.
import type { ProgressBatch, ProgressResult } from '@romancy/core/ports';
import { requireAlive } from './fence.js';
import { handedNews } from './handed-news.js';
import { InstanceLookup } from './instance-lookup.js';
import { recordProgress } from './record-progress.js';
import type { WorkerScope } from './worker-scope.js';
import { settleRun } from './settle-run.js';
import type { WriteScope } from './write-scope.js';

/** Writes a batch through a connection on which a transaction is open. */
export function commitProgress({ connection, tables, now }: WriteScope, batch: ProgressBatch): ProgressResult {
  const { workerId } = batch;
  requireAlive(connection, tables, workerId);
  const lookup = new InstanceLookup(connection, tables);
  const scope = { connection, tables, workerId, now, lookup, handed: [] } satisfies WorkerScope;
  const { conflicts, undelivered } = recordProgress(scope, batch);
  const settled = batch.settlements.map((settlement) => ({ settlement, ...settleRun(scope, settlement) }));
  return {
    conflicts,
    refused: settled.filter(({ isRefused }) => isRefused).map(({ settlement }) => settlement.instanceId),
    undelivered: [...undelivered, ...settled.flatMap((one) => one.undelivered)],
    ...handedNews(scope, batch.effects),
    now,
  };
}
