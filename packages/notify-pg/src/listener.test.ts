// What a process does not even read: the notes it has sent itself.
import type { Wakeup } from '@romancy/core/ports';
import { ManualClock, settleTurns } from '@romancy/core/testing';
import { expect, it, vi } from 'vitest';
import { FakeClient, openFake } from '../test/fake-client.js';
import { channelNames } from './channel-names.js';
import { Listener } from './listener.js';

it('counts its own notes without parsing them, but reads its own nonces, and all that others send', async () => {
  const channels = channelNames('p');
  const client = new FakeClient();
  const heard: Wakeup[] = [];
  const nonces: (string | null)[] = [];
  const listener = new Listener({
    channels,
    ownProcessId: () => 77,
    onWakeups: (wakeups) => void heard.push(...wakeups),
    onEverything: () => undefined,
    onNote: (nonce) => void nonces.push(nonce),
    onQueueFull: () => undefined,
  });
  await listener.listen(openFake(client, new ManualClock()));
  const parse = vi.spyOn(JSON, 'parse');
  client.emit('notification', { channel: channels.outbox_pending, payload: '{"event_id":"own"}', processId: 77 });
  const parsed = parse.mock.calls.length;
  parse.mockRestore();
  client.emit('notification', { channel: channels.ping, payload: '{"nonce":"n"}', processId: 77 });
  client.emit('notification', { channel: channels.outbox_pending, payload: '{"event_id":"other"}', processId: 78 });
  await settleTurns(1);
  expect([parsed, heard, nonces]).toEqual([0, [{ kind: 'outbox_pending', eventId: 'other' }], ['n', null]]);
  expect(listener.counters).toEqual({ received: 2, ignored: 0 });
});
