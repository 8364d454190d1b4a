// What cases of competing channels begin with.
import { startSubscribed } from './message-stage.js';
import type { Bench, StorageHarness } from './storage-harness.js';
import type { TestWorker } from './test-worker.js';

/** Instances that are subscribed to the competing channel, owned by one worker. */
export async function queueStage(
  bench: Bench,
  ids: readonly string[],
): Promise<{ readonly harness: StorageHarness; readonly worker: TestWorker }> {
  const harness = await bench.harness();
  const worker = await harness.worker();
  await startSubscribed(worker, ids, { mode: 'competing' });
  return { harness, worker };
}
