// The wire contract, seen from psql's side.
import type { Wakeup } from '@romancy/core/ports';
import { createDatabase, eventually } from '@romancy/test-support';
import { describe, expect, it } from 'vitest';
import { healthyNotifier } from './notifier-fixture.js';
import { watchingClient } from './watching-client.js';

const channels = ['workflow_resumable', 'timer_expired', 'channel_message', 'outbox_pending'];

const contract: readonly (readonly [string, Wakeup, object])[] = [
  [
    'workflow_resumable',
    { kind: 'workflow_resumable', instanceId: 'wf_abc123', workflowName: 'order_processing' },
    { instance_id: 'wf_abc123', workflow_name: 'order_processing' },
  ],
  [
    'timer_expired',
    { kind: 'timer_expired', instanceId: 'wf_abc123', timerId: 'timer:sleep_1', expiresAt: Date.UTC(2025, 0, 15, 10, 30) },
    { instance_id: 'wf_abc123', timer_id: 'timer:sleep_1', expires_at: '2025-01-15T10:30:00.000Z' },
  ],
  [
    'channel_message',
    { kind: 'channel_message', channelName: 'orders', messageId: '42', targetInstanceId: 'wf_abc123' },
    { channel_name: 'orders', message_id: 42, target_instance_id: 'wf_abc123' },
  ],
  ['outbox_pending', { kind: 'outbox_pending', eventId: 'evt_123' }, { event_id: 'evt_123' }],
  ['workflow_finished', { kind: 'workflow_finished', instanceId: 'wf_1' }, { instance_id: 'wf_1' }],
  ['workflow_claimed', { kind: 'workflow_claimed', instanceId: 'wf_1' }, { instance_id: 'wf_1' }],
  ['worker_busy', { kind: 'worker_busy', workerId: 'w_1' }, { worker_id: 'w_1' }],
];

describe('the wire', () => {
  it('shows to psql exactly the payloads of the contract, on exactly its channels', async () => {
    const { url } = await createDatabase();
    const watching = await watchingClient(url);
    await watching.listen(...contract.map(([channel]) => `romancy_${channel}`));
    const { notifier } = await healthyNotifier({ connectionString: url });
    notifier.send(contract.map(([, wakeup]) => wakeup));
    await eventually(() => watching.notes.length === contract.length);
    const seen = watching.notes.map(({ channel, payload }) => [channel, JSON.parse(payload!) as object]);
    expect(seen).toEqual(contract.map(([channel, , payload]) => [`romancy_${channel}`, payload]));
  });

  it('takes a NOTIFY by hand, from psql or another program, for a wake-up', async () => {
    const { url } = await createDatabase();
    const watching = await watchingClient(url);
    const { heard, notifier } = await healthyNotifier({ connectionString: url });
    for (const [channel, , payload] of contract) await watching.notify(`romancy_${channel}`, payload);
    await eventually(() => heard.length === contract.length);
    expect(heard).toEqual(contract.map(([, wakeup]) => wakeup));
    expect(notifier.status()).toMatchObject({ received: contract.length, ignored: 0 });
  });

  it('lets two prefixes in one database wake each other never, whatever is in their names', async () => {
    const { url } = await createDatabase();
    const prefixes = ['romancy', 'Romancy', 'it"s', "o'clock", 'a\\b', 'größe 大', 'p'.repeat(44)];
    const all = await Promise.all(
      prefixes.map(async (channelPrefix) => ({
        channelPrefix,
        from: await healthyNotifier({ connectionString: url, channelPrefix }),
        to: await healthyNotifier({ connectionString: url, channelPrefix }),
      })),
    );
    for (const { channelPrefix, from } of all) {
      from.notifier.send([{ kind: 'outbox_pending', eventId: channelPrefix }]);
    }
    for (const { channelPrefix, from, to } of all) {
      await eventually(() => to.heard.length > 0);
      expect(to.heard).toEqual([{ kind: 'outbox_pending', eventId: channelPrefix }]);
      // What it sent itself it has acted upon already.
      expect(from.heard).toEqual([]);
    }
  });

  it('sends one note that says "look at everything" for what is too long, and raises nothing', async () => {
    const { url } = await createDatabase();
    const watching = await watchingClient(url);
    await watching.listen(...channels.map((channel) => `romancy_${channel}`), 'romancy_look_at_everything');
    const from = await healthyNotifier({ connectionString: url });
    const to = await healthyNotifier({ connectionString: url });
    const before = to.sweeps();
    from.notifier.send([{ kind: 'outbox_pending', eventId: '€'.repeat(2700) }]);
    await eventually(() => to.sweeps() === before + 1);
    expect(watching.notes.map(({ channel, payload }) => [channel, payload])).toEqual([['romancy_look_at_everything', '{}']]);
  });

  it('sends 10,000 ids at once as they are, and one more as "look at everything"', async () => {
    const { url } = await createDatabase();
    const from = await healthyNotifier({ connectionString: url });
    const to = await healthyNotifier({ connectionString: url });
    const before = to.sweeps();
    const many = (count: number): Wakeup[] =>
      Array.from({ length: count }, (_, i) => ({ kind: 'workflow_resumable', instanceId: `wf_${i}`, workflowName: 'order' }));
    from.notifier.send(many(10_000));
    await eventually(() => to.heard.length === 10_000, { timeout: 10_000 });
    expect(to.sweeps()).toBe(before);
    expect(to.heard).toEqual(many(10_000));
    from.notifier.send(many(10_001));
    await eventually(() => to.sweeps() === before + 1);
    expect(to.heard.length).toBe(10_000);
    expect(from.notifier.status()).toMatchObject({ sent: 10_001, dropped: 0 });
  });

  it('has a note for each id on the channels of the contract, however many there are, and few for all on those between processes', async () => {
    const { url } = await createDatabase();
    const watching = await watchingClient(url);
    await watching.listen('romancy_workflow_resumable');
    await watching.listen('romancy_workflow_finished');
    const [from, to] = [await healthyNotifier({ connectionString: url }), await healthyNotifier({ connectionString: url })];
    const ids = Array.from({ length: 500 }, (_, index) => `wf_${index}`);
    const told = ids.flatMap((instanceId): Wakeup[] => [
      { kind: 'workflow_resumable', instanceId, workflowName: 'order' },
      { kind: 'workflow_finished', instanceId },
    ]);
    from.notifier.send(told);
    await eventually(() => to.heard.length === told.length && watching.notes.length === 503);
    const on = (name: string): object[] =>
      watching.notes.flatMap(({ channel, payload }) => (channel === name ? [JSON.parse(payload!) as object] : []));
    expect(on('romancy_workflow_resumable')).toEqual(ids.map((id) => ({ instance_id: id, workflow_name: 'order' })));
    expect(on('romancy_workflow_finished')).toEqual([
      { instance_id: 'wf_0', others: ids.slice(1, 190) },
      { instance_id: 'wf_190', others: ids.slice(191, 380) },
      { instance_id: 'wf_380', others: ids.slice(381) },
    ]);
    expect(new Set(to.heard.map((one) => JSON.stringify(one)))).toEqual(new Set(told.map((one) => JSON.stringify(one))));
  });
});
