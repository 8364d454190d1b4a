// One memory storage between open and close: gives every transition its database and its time.
import { NotRunningError } from '../domain/errors.js';
import type { StorageContext } from '../ports/storage.js';
import type { MemoryDatabase } from './memory-database.js';

/** A transition's work. It runs in one piece, which is what makes it atomic; it must check all before it changes anything. */
export type MemoryTransition<T> = (database: MemoryDatabase, now: number) => T;

/** What the parts of one memory storage have in common. */
export class MemorySession {
  readonly database: MemoryDatabase;
  #context: StorageContext | undefined;

  constructor(database: MemoryDatabase) {
    this.database = database;
  }

  open(context: StorageContext): void {
    this.#context = context;
  }

  close(): void {
    this.#context = undefined;
  }

  /**
   * Runs a transition, never before the caller has given up control, as it would be with a real database.
   * @throws NotRunningError before open and after close.
   */
  async run<T>(transition: MemoryTransition<T>): Promise<T> {
    await Promise.resolve();
    if (this.#context === undefined) throw new NotRunningError('this memory storage is not open');
    return transition(this.database, this.#context.clock.now());
  }
}
