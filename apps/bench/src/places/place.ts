// A database to measure on: gives storages to Romancy and stores to code by hand, side by side.
import type { Storage } from '@romancy/core';
import type { RawMail } from '../raw/raw-mail.js';
import type { RawStore } from '../raw/raw-store.js';
import type { StatementCounter } from './statement-counter.js';

export interface Place {
  readonly kind: 'postgres' | 'sqlite';
  /** Versions and settings, one a line, as the database itself tells them. */
  describe(): Promise<readonly string[]>;
  /** An empty storage of its own for each label. */
  createStorage(label: string): Promise<Storage>;
  /** Likewise. `connections`: of the pool, where there is one. */
  openRaw(label: string, connections: number): Promise<RawStore>;
  /** Likewise, for messages. */
  openRawMail(label: string, connections: number): Promise<RawMail>;
  /** A storage whose statements are counted. */
  createCountedStorage(label: string): Promise<CountedStorage>;
  /** What processes wake each other through; null where there is no server, and nothing of it to measure. */
  readonly server: PlaceServer | null;
  /** Removes everything that was made. */
  close(): Promise<void>;
}

export interface PlaceServer {
  /** Of the database. */
  readonly url: string;
  /** The name of a schema that does not exist yet, for that label; what is made in it goes with the place. */
  readonly emptySchema: (label: string) => Promise<string>;
  /** Counts what comes over all connections of its address. */
  readonly openCounter: () => Promise<StatementCounter>;
}

export interface CountedStorage {
  readonly storage: Storage;
  /** How many statements there were until now, since any moment before. */
  count(): Promise<number>;
  /** What is counted, and where. */
  readonly how: string;
  close(): Promise<void>;
}
