// What one process says, another understands; what anybody else says harms nobody.
import { randomUUID } from 'node:crypto';
import type { Wakeup } from '@romancy/core/ports';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { channelNames, type NoteKind } from './channel-names.js';
import { noteReader } from './decode-note.js';
import { encodeWakeup } from './encode-wakeup.js';
import { NoteQueue, notesOf } from './note-queue.js';
import { longestPayloadBytes } from './note.js';
import { longestSharedId, mostShared } from './shared-note.js';

const names = channelNames('romancy');
const read = noteReader(names);
const id = fc.string({ unit: 'binary', minLength: 1, maxLength: 40 });

const wakeups: fc.Arbitrary<Wakeup> = fc.oneof(
  fc.record({ kind: fc.constant('workflow_resumable' as const), instanceId: id, workflowName: id }),
  fc.record({
    kind: fc.constant('workflow_resumable' as const),
    instanceId: id,
    workflowName: id,
    more: fc.integer({ min: 1, max: 5000 }),
  }),
  fc.record({
    kind: fc.constant('timer_expired' as const),
    instanceId: id,
    timerId: id,
    expiresAt: fc.integer({ min: -8.64e15, max: 8.64e15 }),
  }),
  fc.record({
    kind: fc.constant('channel_message' as const),
    channelName: id,
    messageId: fc.oneof(id, fc.integer().map(String), fc.bigInt().map(String)),
    targetInstanceId: fc.option(id),
  }),
  fc.record({ kind: fc.constant('outbox_pending' as const), eventId: id }),
  fc.record({ kind: fc.constantFrom('workflow_finished' as const, 'workflow_claimed' as const), instanceId: id }),
  fc.record({ kind: fc.constant('worker_busy' as const), workerId: id }),
);

describe('the wire format', () => {
  it('brings every wake-up to the other side as it was', () => {
    fc.assert(
      fc.property(wakeups, (wakeup) => {
        const { kind, payload } = encodeWakeup(wakeup);
        expect(read(names[kind], payload)).toEqual(wakeup);
      }),
    );
  });

  it('brings many that share notes to the other side as they were, in notes that the server takes', () => {
    const seen = { full: 0, halved: 0 };
    const char = fc.constantFrom('a', '\u0001', '€', '"', '\ud800');
    const ids = fc.tuple(
      fc.integer({ min: 1, max: 450 }),
      fc.constantFrom(1, 30, 200, longestSharedId),
      fc.array(char, { minLength: 1, maxLength: 5 }),
    );
    const property = fc.property(ids, ([count, longest, chars]) => {
      const unit = chars.join('');
      const all = Array.from({ length: count }, (_, index) => `${index}${unit.repeat(longest)}`.slice(0, Math.max(longest, 4)));
      const told = [...new Set(all)];
      const queue = new NoteQueue();
      for (const instanceId of told) queue.add({ kind: 'workflow_finished', instanceId });
      const payloads = notesOf(queue.take()).flatMap(([kind, each]) => (kind === 'workflow_finished' ? each : []));
      const heard = payloads.map((payload) => read(names.workflow_finished, payload));
      expect(heard.flatMap((one) => (one?.kind === 'several' ? [...one.wakeups] : [one]))).toEqual(
        told.map((instanceId) => ({ kind: 'workflow_finished', instanceId })),
      );
      for (const payload of payloads) expect(Buffer.byteLength(payload)).toBeLessThanOrEqual(longestPayloadBytes);
      if (told.length >= mostShared && payloads.length === Math.ceil(told.length / mostShared)) seen.full++;
      if (payloads.length > Math.ceil(told.length / mostShared)) seen.halved++;
    });
    fc.assert(property, { numRuns: 200 });
    expect(seen.full).toBeGreaterThan(0);
    expect(seen.halved).toBeGreaterThan(0);
  });

  it('puts 190 random ids into a note', () => {
    const queue = new NoteQueue();
    for (let i = 0; i < 380; i++) queue.add({ kind: 'workflow_finished', instanceId: randomUUID() });
    expect(notesOf(queue.take())).toEqual([['workflow_finished', [expect.anything(), expect.anything()]]]);
  });

  it('tells of an id of a length that no instance has by "look at everything"', () => {
    const queue = new NoteQueue();
    queue.add({ kind: 'workflow_claimed', instanceId: 'x'.repeat(longestSharedId) });
    expect(notesOf(queue.take()).map(([kind]) => kind)).toEqual(['workflow_claimed']);
    queue.add({ kind: 'workflow_claimed', instanceId: 'x'.repeat(longestSharedId + 1) });
    expect(notesOf(queue.take()).map(([kind]) => kind)).toEqual(['everything']);
  });

  it.each([
    [null, []],
    ['a', []],
    [{ 0: 'a' }, []],
    [
      ['a', 1, '', ['b'], 'c'],
      ['a', 'c'],
    ],
  ])('takes of the others %j what are ids', (others, ids) => {
    const heard = read(names.workflow_finished, JSON.stringify({ instance_id: 'e', others }));
    const wakeups = ['e', ...ids].map((instanceId) => ({ kind: 'workflow_finished', instanceId }));
    expect(heard?.kind === 'several' ? heard.wakeups : [heard]).toEqual(wakeups);
  });

  it.each([
    ['42', 42],
    ['-7', -7],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
    ['9007199254740992', '9007199254740992'],
    ['007', '007'],
    ['1e3', '1e3'],
    ['-0', '-0'],
    ['0', 0],
    ['m_1', 'm_1'],
    ['', ''],
  ])('says the message id %j as %j', (messageId, said) => {
    const { payload } = encodeWakeup({ kind: 'channel_message', channelName: 'c', messageId, targetInstanceId: null });
    expect(JSON.parse(payload)).toEqual({ channel_name: 'c', message_id: said, target_instance_id: null });
  });

  it('degrades what is too long, or no date, to "look at everything"', () => {
    const sized = (bytes: number) =>
      encodeWakeup({ kind: 'outbox_pending', eventId: 'x'.repeat(bytes - '{"event_id":""}'.length) });
    expect(sized(longestPayloadBytes).kind).toBe('outbox_pending');
    expect(sized(longestPayloadBytes + 1)).toEqual({ kind: 'everything', payload: '{}' });
    expect(encodeWakeup({ kind: 'outbox_pending', eventId: '€'.repeat(2630) }).kind).toBe('everything');
    const never: Wakeup = { kind: 'timer_expired', instanceId: 'i', timerId: 't', expiresAt: Number.POSITIVE_INFINITY };
    expect(encodeWakeup(never).kind).toBe('everything');
  });

  it('takes times and targets as other programs write them', () => {
    const timer = (expires_at: unknown) =>
      read(names.timer_expired, JSON.stringify({ instance_id: 'i', timer_id: 't', expires_at }));
    expect(timer('2025-01-15T10:30:00Z')).toMatchObject({ expiresAt: Date.UTC(2025, 0, 15, 10, 30) });
    expect(timer('2025-01-15T10:30:00.123456789Z')).toMatchObject({ expiresAt: Date.UTC(2025, 0, 15, 10, 30, 0, 123) });
    for (const wrong of ['2025-01-15 10:30:00', '2025-01-15T10:30:00', '2025-13-45T10:30:00Z', 'now', 0, null])
      expect(timer(wrong)).toBeNull();
    const message = (more: object) => read(names.channel_message, JSON.stringify({ channel_name: 'c', message_id: 1, ...more }));
    for (const none of [{}, { target_instance_id: '' }, { target_instance_id: null }])
      expect(message(none)).toMatchObject({ targetInstanceId: null });
    for (const wrong of [{ target_instance_id: 7 }, { message_id: 1.5 }, { message_id: null }, { channel_name: '' }])
      expect(message(wrong)).toBeNull();
  });

  it.each([
    undefined,
    '',
    'null',
    '[]',
    '"x"',
    '7',
    '{}',
    '{"instance_id":',
    '{"__proto__":{"instance_id":"a","workflow_name":"b"}}',
    '{"constructor":1,"toString":2}',
    '{"instance_id":{"x":1},"workflow_name":"b"}',
    '{"instance_id":["a"],"workflow_name":"b"}',
    '['.repeat(7999),
    `{"instance_id":"${'x'.repeat(8000)}","workflow_name":"b"}`,
  ])('ignores %j', (payload) => {
    expect(read(names.workflow_resumable, payload)).toBeNull();
  });

  it('keeps out what is called __proto__, and keeps what stands beside it', () => {
    const note = read(names.outbox_pending, '{"__proto__":{"polluted":true},"event_id":"e"}');
    expect(note).toEqual({ kind: 'outbox_pending', eventId: 'e' });
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it('throws at nothing, on whatever channel', () => {
    const channel = fc.oneof(fc.string(), fc.constantFrom(...Object.values(names)));
    const payload = fc.oneof(fc.string({ unit: 'binary' }), fc.json(), fc.constant(undefined));
    fc.assert(fc.property(channel, payload, (at, what) => void read(at, what)));
    expect(read('romancy_other', '{}')).toBeNull();
    expect(read('constructor', '{}')).toBeNull();
  });
});

describe('the names of channels', () => {
  it('are those of the contract', () => {
    const contract: readonly NoteKind[] = ['workflow_resumable', 'timer_expired', 'channel_message', 'outbox_pending'];
    expect(contract.map((kind) => names[kind])).toEqual(contract.map((kind) => `romancy_${kind}`));
  });

  it.each(['', 'p'.repeat(45), 'ü'.repeat(23), 'a\0b', '\ud800', 7 as never])('are not made from the prefix %j', (prefix) => {
    expect(() => channelNames(prefix)).toThrowError(/channelPrefix .* 1 to 44 bytes.* 63 bytes/);
  });

  it('have 63 bytes at most, and reach them', () => {
    const longest = Object.values(channelNames('ü'.repeat(22))).map((name) => Buffer.byteLength(name));
    expect(Math.max(...longest)).toBe(63);
  });
});
