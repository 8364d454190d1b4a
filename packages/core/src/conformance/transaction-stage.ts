// What cases of activity transactions begin with: an owned instance, a probe, and transactions that are undone at the end.
import type { TestContext } from 'vitest';
import type { ActivityTransaction } from '../ports/index.js';
import type { TransactionProbe } from './storage-fixture.js';
import type { Bench, StorageHarness } from './storage-harness.js';
import type { TestWorker } from './test-worker.js';

export interface TransactionStage {
  readonly harness: StorageHarness;
  /** Owns the instance `one`. */
  readonly worker: TestWorker;
  readonly probe: TransactionProbe;
  /** Opens a transaction; it is undone at the end of the test if it is still open. */
  readonly begin: () => Promise<ActivityTransaction>;
}

/** Ends the test as skipped where the storage's fixture has no probe for transactions. */
export async function transactionStage(bench: Bench, context: TestContext): Promise<TransactionStage> {
  const harness = await bench.harness();
  harness.require(context, 'transactions', harness.fixture.transactions !== undefined);
  const probe = harness.fixture.transactions!;
  const worker = await harness.worker();
  await worker.start('one');
  const begin = async (): Promise<ActivityTransaction> => {
    const transaction = await worker.storage.transactions.begin({ signal: new AbortController().signal });
    harness.beforeClose(() => transaction.rollback());
    return transaction;
  };
  return { harness, worker, probe, begin };
}

/** Ends the test as skipped where nothing that was recorded before is ever handed to the commit of a transaction. */
export function requireBlocking({ worker }: TransactionStage, context: TestContext): void {
  if (!worker.storage.transactions.blocksCommits)
    context.skip('commits go on beside an open transaction, whose own waits for them');
}
