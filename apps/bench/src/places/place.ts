// A database to measure on: gives storages to Romancy and stores to code by hand, side by side.
import type { Storage } from '@romancy/core';
import type { RawStore } from '../raw/raw-store.js';

export interface Place {
  readonly kind: 'postgres' | 'sqlite';
  /** Versions and settings, one a line, as the database itself tells them. */
  describe(): Promise<readonly string[]>;
  /** An empty storage of its own for each label. */
  createStorage(label: string): Promise<Storage>;
  /** Likewise. `connections`: of the pool, where there is one. */
  openRaw(label: string, connections: number): Promise<RawStore>;
  /** A storage whose statements are counted. */
  createCountedStorage(label: string): Promise<CountedStorage>;
  /** Removes everything that was made. */
  close(): Promise<void>;
}

export interface CountedStorage {
  readonly storage: Storage;
  /** How many statements there were until now, since any moment before. */
  count(): Promise<number>;
  /** What is counted, and where. */
  readonly how: string;
  close(): Promise<void>;
}
