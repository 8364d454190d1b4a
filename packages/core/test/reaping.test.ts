// How soon the runs of a dead process go on, where its death shows by the end of its lease alone.
import { expect, it } from 'vitest';
import { afterwards } from '@romancy/test-support';
import { defineWorkflow, Romancy } from '../src/index.js';
import { createMemoryDatabase, createMemoryStorage, ManualClock, recordingLogger } from '../src/testing/index.js';

it('keeps pace with a short lease, however seldom the storage would have dead workers looked for', async () => {
  const clock = new ManualClock();
  const database = createMemoryDatabase();
  const dead = createMemoryStorage({ database });
  await dead.open({ clock, logger: recordingLogger() });
  await dead.leases.register({ workerId: 'dead', serviceName: 'test', leaseMs: 3000, workflowNames: ['greeting'], starts: [] });
  const start = { instanceId: 'x', workflowName: 'greeting', input: '"you"', startToken: 't', owned: true };
  const nothing = { entries: [], effects: [], subscriptions: [], takenMail: [], settlements: [] };
  await dead.runs.commit({ workerId: 'dead', starts: [start], ...nothing });

  const greeting = defineWorkflow('greeting', (_ctx, name: string) => `hello ${name}`);
  const app = new Romancy({
    storage: { ...createMemoryStorage({ database }), reapIntervalMs: 10_000 },
    workflows: [greeting],
    leaseDuration: '3s',
    clock,
    logger: recordingLogger(),
  });
  afterwards(() => app.stop({ timeout: 100 }));
  await app.start();
  // The lease, one interval between two looks and its jitter, and the claim.
  await clock.advance(4500);
  expect((await app.get('x'))?.status).toBe('completed');
});
