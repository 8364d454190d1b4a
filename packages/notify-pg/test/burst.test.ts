// A storm of notes: drained at once, in little memory, while the process goes on with its work.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { collectGarbage, createDatabase, eventually } from '@romancy/test-support';
import { describe, expect, it } from 'vitest';
import { healthyNotifier } from './notifier-fixture.js';
import { watchingClient } from './watching-client.js';

describe('a burst', () => {
  it(
    'of 100,000 notes is drained within a second, with a p99 delay of the event loop below 50 ms and no memory kept',
    { retry: 2 },
    async () => {
      const { url } = await createDatabase();
      const { client } = await watchingClient(url);
      let heard = 0;
      let batches = 0;
      const onWakeups = (wakeups: readonly unknown[]): void => {
        heard += wakeups.length;
        batches++;
      };
      const { notifier } = await healthyNotifier({ connectionString: url }, { onWakeups });
      collectGarbage();
      const before = process.memoryUsage().heapUsed;
      const delay = monitorEventLoopDelay({ resolution: 1 });
      delay.enable();
      await client.query(
        `SELECT count(pg_notify('romancy_outbox_pending', json_build_object('event_id', i::text)::text)) FROM generate_series(1, 100000) AS i`,
      );
      const committedAt = performance.now();
      await eventually(() => heard === 100_000, { interval: 1 });
      expect(performance.now() - committedAt).toBeLessThan(1000);
      delay.disable();
      expect(delay.percentile(99) / 1e6).toBeLessThan(50);
      // Those of one packet come in one go.
      expect(batches).toBeLessThan(10_000);
      collectGarbage();
      expect(process.memoryUsage().heapUsed - before).toBeLessThan(5_000_000);
      expect(notifier.status()).toMatchObject({ state: 'healthy', received: 100_000, ignored: 0 });
    },
  );

  it('of 1,000 equal wake-ups is one note', async () => {
    const { url } = await createDatabase();
    const from = await healthyNotifier({ connectionString: url });
    const to = await healthyNotifier({ connectionString: url });
    for (let i = 0; i < 1000; i++) from.notifier.send([{ kind: 'workflow_resumable', instanceId: 'i', workflowName: 'w' }]);
    await eventually(() => to.heard.length > 0);
    expect(from.notifier.status()).toMatchObject({ sent: 1, coalesced: 999 });
    expect(to.heard.length).toBe(1);
  });
});
