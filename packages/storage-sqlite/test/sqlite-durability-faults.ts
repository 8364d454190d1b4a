// What can happen to a SQLite file while workers are busy.
import type { DurabilityFault, DurabilityOutage } from '@romancy/core/conformance';
import Database from 'better-sqlite3';
import { createSqliteDurabilityFixture, type SqlitePlace } from './sqlite-durability-fixture.js';

/** How long somebody keeps the write lock, and how long workers wait for it before they say that they cannot have it. */
const [keptMs, lockTimeoutMs] = [700, 200];

export const sqliteFaults: readonly DurabilityFault[] = [
  {
    name: 'a full disk',
    async happen({ pids }) {
      for (const pid of pids) process.kill(pid, 'SIGUSR2');
      await pause(1000);
      for (const pid of pids) process.kill(pid, 'SIGUSR2');
    },
  },
  {
    name: 'somebody else keeps the write lock for too long, again and again',
    factory: () => createSqliteDurabilityFixture({ lockTimeoutMs }),
    async happen({ place }) {
      const other = new Database((JSON.parse(place) as SqlitePlace).filename, { timeout: 10_000 });
      for (let round = 0; round < 3; round++) {
        other.exec('BEGIN IMMEDIATE');
        await pause(keptMs);
        other.exec('ROLLBACK');
        await pause(50);
      }
      other.close();
    },
  },
];

/** Somebody else keeps the write lock until he is told to give it back. */
export const sqliteOutage: DurabilityOutage = {
  factory: () => createSqliteDurabilityFixture({ lockTimeoutMs }),
  async begin(place) {
    const other = new Database((JSON.parse(place) as SqlitePlace).filename, { timeout: 10_000 });
    other.exec('BEGIN IMMEDIATE');
    return async () => {
      other.close();
    };
  },
};

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
