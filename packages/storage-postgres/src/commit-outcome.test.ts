// How long the end of a commit is waited for whose answer was lost.
import { NotRunningError, StorageUnavailableError } from '@romancy/core/ports';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { findOutcome } from './commit-outcome.js';
import type { Row } from './row.js';
import type { Database } from './database.js';
import type { Statement } from './sql.js';
import { tableNames } from './table-names.js';

const entry = {
  instanceId: 'i',
  seq: 1,
  kind: 'activity_completed',
  callId: 'a:1',
  position: 0,
  data: 'null',
  dueAt: null,
} as const;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** @param status what the server says of the transaction, or throws; `committed`: the entry is there. */
function ask(status: () => string): { readonly outcome: Promise<boolean | Error>; readonly asked: () => number } {
  let asked = 0;
  const rows = async ({ text }: Statement): Promise<readonly Row[]> => {
    if (!text.includes('pg_xact_status')) return status() === 'committed' ? [['1']] : [];
    asked++;
    return await Promise.resolve([[status()]]);
  };
  const database = { rows } as unknown as Database;
  const commit = { transactionId: '7', entry, cause: new Error('read ECONNRESET') };
  const outcome = findOutcome({ database, tables: tableNames('romancy') }, commit).catch((error: unknown) => error as Error);
  return { outcome, asked: () => asked };
}

it('waits for a commit that the server carries out for minutes: nobody may go on before', async () => {
  let status = 'in progress';
  const { outcome, asked } = ask(() => status);
  await vi.advanceTimersByTimeAsync(600_000);
  expect(asked()).toBeGreaterThan(100);
  status = 'committed';
  await vi.advanceTimersByTimeAsync(1000);
  expect(await outcome).toBe(true);
});

it('asks on while the database does not answer, and tells what it says then', async () => {
  let isDown = true;
  const { outcome } = ask(() => {
    if (isDown) throw new StorageUnavailableError('down');
    return 'aborted';
  });
  await vi.advanceTimersByTimeAsync(600_000);
  isDown = false;
  await vi.advanceTimersByTimeAsync(1000);
  expect(await outcome).toBe(false);
});

it('gives up when the storage is closed', async () => {
  const { outcome } = ask(() => {
    throw new NotRunningError('this storage is not open');
  });
  expect(await outcome).toBeInstanceOf(StorageUnavailableError);
});
