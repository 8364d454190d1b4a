// Opens the transactions of activities, and vouches for the worker while one of them keeps everybody from writing.
import type { ActivityTransactions as Port } from '@romancy/core/ports';
import { OpenTransaction } from './open-transaction.js';
import type { LocalLeases } from './local-leases.js';
import type { SqliteFile } from './sqlite-file.js';

export class ActivityTransactions implements Port {
  readonly blocksCommits = true;
  readonly #file: SqliteFile;
  readonly #leases: LocalLeases;
  /** There is one at a time: it has the write lock. */
  #open: OpenTransaction | undefined;

  constructor(file: SqliteFile, leases: LocalLeases) {
    this.#file = file;
    this.#leases = leases;
  }

  async begin({ signal }: { readonly signal: AbortSignal }): Promise<OpenTransaction> {
    signal.throwIfAborted();
    const writing = await this.#file.beginWriting(signal);
    const onEnd = (): void => {
      this.#open = undefined;
    };
    let transaction: OpenTransaction;
    try {
      transaction = new OpenTransaction({ file: this.#file, leases: this.#leases, writing, onEnd });
    } catch (error) {
      // The storage was closed while the lock was waited for.
      writing.abort();
      writing.giveBack();
      throw error;
    }
    this.#open = transaction;
    return transaction;
  }

  get isOpen(): boolean {
    return this.#open !== undefined;
  }

  /**
   * Whether the worker is alive, when an open transaction makes that certain: nobody can remove its row while that has the lock. Then the
   * lease is renewed before the lock is given back. Undefined: no transaction is open, ask in the usual way.
   */
  vouch(workerId: string, leaseMs: number): boolean | undefined {
    return this.#open?.vouch(workerId, leaseMs);
  }

  /** Undoes what is open: the storage closes. */
  async close(): Promise<void> {
    await this.#open?.rollback();
  }
}
