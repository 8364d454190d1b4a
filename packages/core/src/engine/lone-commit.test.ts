// What ends the wait of a transaction for the commits before it, when two things do at once.
import { expect, it } from 'vitest';
import type { ActivityTransaction } from '../ports/activity-transaction.js';
import { ManualClock } from '../testing/manual-clock.js';
import { LoneCommit, type LoneCommitParts } from './lone-commit.js';

it('is undone when it is given up in the very moment in which all before it has become durable', async () => {
  const calls: string[] = [];
  const transaction: ActivityTransaction = {
    handle: null,
    commit: async () => (calls.push('commit'), { undelivered: [], wakeups: [], attention: [] }),
    rollback: async () => void calls.push('rollback'),
  };
  let durable = (): void => undefined;
  const done = { then: (resolve: () => void) => (durable = resolve) };
  const parts = {
    services: { transactions: { blocksCommits: false }, clock: new ManualClock(), workerId: 'me' },
    recorder: { last: { durable: false, done } },
  } as unknown as LoneCommitParts;
  const lone = new LoneCommit(parts, transaction);
  const entry = {
    instanceId: 'one',
    seq: 1,
    kind: 'activity_completed',
    callId: 'a:1',
    position: 1,
    data: '1',
    dueAt: null,
  } as const;
  const end = lone.run(entry, []);
  durable();
  lone.giveUp();
  expect(await end).toEqual({ type: 'undone' });
  expect(calls).toEqual(['rollback']);
});
