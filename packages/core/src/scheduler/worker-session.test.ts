// What a session does with news of an instance whose run has not begun.
import { expect, it } from 'vitest';
import type { Wakeup } from '../domain/wakeup.js';
import type { MessageStore } from '../ports/message-store.js';
import type { ProgressBatch, ProgressResult } from '../ports/progress.js';
import type { RunStore } from '../ports/run-store.js';
import { ManualClock, recordingLogger, seededEntropy, settleTurns } from '../testing/index.js';
import { StorageHealth } from './storage-health.js';
import { StorageClock } from './storage-time.js';
import { ChannelModes } from './channel-modes.js';
import { WakeupHub } from './wakeup-hub.js';
import { WorkerSession, type SessionParts } from './worker-session.js';

it('hands on what it heard of an instance while it tried to start it, when that was a conflict', async () => {
  const clock = new ManualClock();
  const logger = recordingLogger();
  const told: Wakeup[] = [];
  const answers: ((result: ProgressResult) => void)[] = [];
  const commit = (_batch: ProgressBatch): Promise<ProgressResult> => new Promise((resolve) => answers.push(resolve));
  const session = new WorkerSession({
    workerId: 'w',
    runs: { commit } as unknown as RunStore,
    messages: {} as MessageStore,
    modes: new ChannelModes({} as MessageStore, clock),
    workflows: new Map([['order', {}]]) as unknown as SessionParts['workflows'],
    concurrency: 10,
    historyPage: 1000,
    health: new StorageHealth({ clock, logger, entropy: seededEntropy(1), description: 'a test' }),
    storageClock: new StorageClock(clock),
    hub: new WakeupHub(),
    services: { clock, logger, mailLimit: 100 } as unknown as SessionParts['services'],
    onWakeups: (wakeups) => {
      expect(session.isHere('a')).toBe(false);
      told.push(...wakeups);
    },
    onLeaseLost: () => undefined,
  });
  const startOf = (instanceId: string) =>
    session.start({ instanceId, workflowName: 'order', input: 'null', startToken: instanceId }, { mayBeThere: false });
  const starts = Promise.all(['a', 'b'].map(startOf));
  await settleTurns(3);
  // It belongs to another worker, which puts it away; the note of what makes it due comes before the answer.
  expect(session.isHere('a')).toBe(true);
  session.attend(['a']);
  answers.shift()!({ conflicts: ['a', 'b'], refused: [], undelivered: [], wakeups: [], attention: [], now: clock.now() });
  expect(await starts).toEqual(['conflict', 'conflict']);
  expect(told).toEqual([{ kind: 'workflow_resumable', instanceId: 'a', workflowName: 'order' }]);
});
