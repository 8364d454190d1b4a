// Has all storages of one process that work on the same file stand in the same line.
import { realpathSync } from 'node:fs';
import { WriteLock } from './write-lock.js';

/** A place in the line of a file. */
export interface SharedWriteLock {
  readonly lock: WriteLock;
  /** To be called once, when the storage closes. */
  leave(): void;
}

interface Line {
  readonly lock: WriteLock;
  users: number;
}

/** By the real path of the file. A line is forgotten with its last user. */
const lines = new Map<string, Line>();

/**
 * Apps with different prefixes, or tests that play several processes, may share a file within a process: they hand the lock to each
 * other, and need not ask every few milliseconds whether it is free.
 */
export function shareWriteLock(path: string): SharedWriteLock {
  const key = realpathSync(path);
  const line = lines.get(key) ?? { lock: new WriteLock(), users: 0 };
  lines.set(key, line);
  line.users++;
  return {
    lock: line.lock,
    leave: () => {
      if (--line.users === 0) lines.delete(key);
    },
  };
}
