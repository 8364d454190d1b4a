// What a process says to the keeper of its server, and what that answers: a line of JSON each.
import type { ShutdownMode } from './postgres-server.js';

export interface KeeperOrder {
  readonly order: 'shutDown' | 'startAgain' | 'freeze' | 'thaw';
  /** Of `shutDown`. */
  readonly mode?: ShutdownMode;
}

export interface KeeperAnswer {
  /** Why it was not done. */
  readonly problem?: string;
}
