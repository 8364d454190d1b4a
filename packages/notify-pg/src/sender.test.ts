// When notes go, how many transactions they make, and what becomes of those that cannot.
import type { Wakeup } from '@romancy/core/ports';
import { ManualClock, recordingLogger, settleTurns } from '@romancy/core/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { FakeClient, openFake, serverError } from '../test/fake-client.js';
import { sentNotes } from '../test/sent-notes.js';
import { channelNames } from './channel-names.js';
import { QueueWatch } from './queue-watch.js';
import { Sender } from './sender.js';

let clock: ManualClock;
let client: FakeClient;
let watch: QueueWatch;
let sender: Sender;

beforeEach(() => {
  clock = new ManualClock();
  client = new FakeClient();
  watch = new QueueWatch({ clock, logger: recordingLogger(), pingIntervalMs: 15_000, onResume: () => sender.resume() });
  sender = new Sender({ clock, windowMs: 5, channels: channelNames('p'), watch });
});

const event = (eventId: string): Wakeup => ({ kind: 'outbox_pending', eventId });
/** What each transaction sent: channel and payload. */
const sent = (): (readonly [channel: string, payload: string])[][] =>
  client.queries.flatMap((query) => {
    const notes = sentNotes(query);
    return notes === null ? [] : [notes.map(({ channel, payload }) => [channel, payload] as const)];
  });
const flushes = (): unknown[][] =>
  sent().map((notes) => notes.map(([, payload]) => (JSON.parse(payload) as { event_id?: string }).event_id));
const attach = (): void => sender.attach(openFake(client, clock));

describe('a sender', () => {
  it('sends the first after quiet at once, gathers for the window, and always ends with what came last', async () => {
    attach();
    sender.send([event('1'), event('2')]);
    sender.send([event('3'), event('1')]);
    expect(flushes()).toEqual([]);
    await settleTurns(1);
    expect(flushes()).toEqual([['1', '2', '3']]);
    await clock.advance(1);
    sender.send([event('4')]);
    await clock.advance(1);
    sender.send([event('1'), event('4')]);
    await clock.advance(2);
    expect(flushes().length).toBe(1);
    await clock.advance(1);
    expect(flushes()).toEqual([
      ['1', '2', '3'],
      ['4', '1'],
    ]);
    expect([sender.counters, clock.pendingTimers]).toEqual([{ sent: 5, coalesced: 2, dropped: 0 }, 0]);
    await clock.advance('1s');
    sender.send([event('5')]);
    await settleTurns(1);
    expect(flushes().length).toBe(3);
  });

  it('makes at most 200 transactions a second, whatever comes', async () => {
    attach();
    for (let ms = 0; ms < 1000; ms++) {
      sender.send([event(String(ms))]);
      await clock.advance(1);
    }
    expect(flushes().length).toBeLessThanOrEqual(201);
    expect(flushes().length).toBeGreaterThan(190);
  });

  it('gathers up to ten times as long while batches are large, and no longer than that', async () => {
    attach();
    for (let ms = 0; ms < 1000; ms++) {
      sender.send(Array.from({ length: 10 }, (_, index) => event(`${ms}-${index}`)));
      await clock.advance(1);
    }
    // The first, one after the ordinary window, one after 30 ms, then one in 50 ms.
    expect(flushes().length).toBeLessThanOrEqual(23);
    expect(flushes().length).toBeGreaterThan(18);
    await clock.advance('1s');
    expect([flushes().flat().length, clock.pendingTimers]).toEqual([10_000, 0]);
  });

  it('lets ends that are told of at a time share a note, events have one each, and counts as sent what goes over the wire', async () => {
    attach();
    const ended = (index: number): Wakeup => ({ kind: 'workflow_finished', instanceId: String(index) });
    sender.send([...Array.from({ length: 100 }, (_, index) => ended(index)), ended(7), event('a'), event('b')]);
    await settleTurns(2);
    expect(sent()[0]!.map(([channel]) => channel)).toEqual(['p_workflow_finished', ...['p_outbox_pending', 'p_outbox_pending']]);
    expect(sender.counters).toEqual({ sent: 3, coalesced: 100, dropped: 0 });
  });

  it('gathers for the ordinary window again after a small batch, and not at all after a window without notes', async () => {
    const many = (name: string): Wakeup[] => Array.from({ length: 32 }, (_, index) => event(`${name}-${index}`));
    attach();
    sender.send(many('a'));
    await clock.advance(1);
    sender.send([event('b')]);
    await clock.advance(18);
    expect(flushes().length).toBe(1);
    await clock.advance(1);
    expect(flushes().at(-1)).toEqual(['b']);
    sender.send([event('c')]);
    await clock.advance(5);
    expect(flushes().at(-1)).toEqual(['c']);
    await clock.advance(10);
    sender.send(many('d'));
    await clock.advance(6);
    sender.send([event('e')]);
    await settleTurns(1);
    expect(flushes().at(-1)).toEqual(['e']);
  });

  it('tells of all kinds at once in one statement, which is its own transaction', async () => {
    attach();
    const kinds: readonly Wakeup[] = [
      { kind: 'workflow_resumable', instanceId: 'i', workflowName: 'w' },
      { kind: 'timer_expired', instanceId: 'i', timerId: 't', expiresAt: 0 },
      { kind: 'channel_message', channelName: 'c', messageId: '1', targetInstanceId: null },
      event('e'),
      { kind: 'workflow_finished', instanceId: 'i' },
      { kind: 'workflow_claimed', instanceId: 'i' },
      { kind: 'worker_busy', workerId: 'w' },
    ];
    sender.send(kinds);
    sender.ping('n');
    await settleTurns(1);
    expect(client.queries).toHaveLength(1);
    expect(client.queries[0]!.text).toMatch(/^SELECT [^;]*$/);
    expect(sent()[0]!.map(([channel]) => channel)).toEqual([...kinds.map(({ kind }) => `p_${kind}`), 'p_ping']);
  });

  it('has one transaction on its way at a time', async () => {
    client.answers = ['silence'];
    attach();
    sender.send([event('1')]);
    await clock.advance('1s');
    sender.send([event('2')]);
    await clock.advance('1s');
    expect(flushes()).toEqual([['1']]);
  });

  it('tries what was refused once more, then drops it, and tells everybody to look when it can', async () => {
    attach();
    client.answers = [serverError('55P03')];
    sender.send([event('1'), event('2')]);
    await clock.advance(4);
    expect(flushes()).toEqual([['1', '2']]);
    await clock.advance(1);
    expect(flushes()).toEqual([
      ['1', '2'],
      ['1', '2'],
    ]);
    expect(sender.counters).toEqual({ sent: 2, coalesced: 0, dropped: 0 });
    await clock.advance(5);
    client.answers = [serverError('55P03'), serverError('57014')];
    sender.send([event('3'), event('3')]);
    await clock.advance(10);
    expect(flushes().slice(2)).toEqual([['3'], ['3'], [undefined]]);
    expect(sent().at(-1)).toEqual([['p_look_at_everything', '{}']]);
    expect(sender.counters).toMatchObject({ dropped: 2 });
  });

  it('asks a server that refuses for good less and less, down to once a second, and is quick again after a success or with a new session', async () => {
    const refusals = (count: number): Error[] => Array.from({ length: count }, () => serverError('42501'));
    attach();
    client.answers = refusals(100);
    sender.send([event('1')]);
    await clock.advance('10s');
    expect(client.queries.length).toBeLessThan(25);
    // Neither a session nor a refusal is a proof that anything can be sent.
    expect(sender.answeredAt).toBe(Number.NEGATIVE_INFINITY);
    client.answers = [];
    await clock.advance('1s');
    expect(flushes().at(-1)).toEqual([undefined]);
    client.queries.length = 0;
    client.answers = refusals(1);
    sender.send([event('2')]);
    await clock.advance(10);
    expect(flushes()).toEqual([['2'], ['2']]);
    client.answers = refusals(100);
    sender.send([event('3')]);
    await clock.advance('10s');
    sender.detach();
    client = new FakeClient();
    attach();
    await settleTurns(1);
    expect(client.queries.length).toBe(1);
  });

  it('keeps what was lost with its session for the next one, and makes one note of a pile', async () => {
    const first = openFake(client, clock);
    client.answers = ['silence'];
    sender.attach(first);
    sender.send([event('1')]);
    await settleTurns(1);
    first.session.destroy(new Error('cut'));
    sender.detach();
    await settleTurns(1);
    sender.send([event('2')]);
    attach();
    await clock.advance(5);
    expect(flushes()).toEqual([['1'], ['1', '2']]);
    sender.detach();
    for (let i = 0; i < 1000; i++) sender.send([event(String(i))]);
    attach();
    await clock.advance(5);
    expect(flushes().at(-1)).toEqual([undefined]);
    await clock.advance('1s');
    expect(flushes().length).toBe(3);
  });

  it('sends nonces along with the rest, and says what became of them', async () => {
    const waiting = sender.ping('n1');
    expect(waiting.outcome).toBe('unsent');
    attach();
    sender.send([event('1')]);
    await settleTurns(1);
    expect(client.queries.length).toBe(1);
    expect(sent()).toEqual([
      [
        ['p_outbox_pending', '{"event_id":"1"}'],
        ['p_ping', '{"nonce":"n1"}'],
      ],
    ]);
    expect([waiting.outcome, sender.counters.sent]).toEqual(['sent', 1]);
    client.answers = [serverError('55P03')];
    const refused = sender.ping('n2');
    await clock.advance(5);
    expect(refused.outcome).toBe('unsent');
    await clock.advance(5);
    expect(refused.outcome).toBe('sent');
    client.answers = [serverError('55P03')];
    const replaced = sender.ping('n2b');
    await clock.advance(5);
    sender.ping('n2c');
    await clock.advance(5);
    expect([replaced.outcome, sent().at(-1)]).toEqual(['unsent', [['p_ping', '{"nonce":"n2c"}']]]);
    client.answers = ['silence'];
    const unanswered = sender.ping('n3');
    await clock.advance(5);
    expect(unanswered.outcome).toBe('unanswered');
  });

  it('sends nothing but nonces while the queue of the server is more than half full, and drops what comes', async () => {
    attach();
    client.answers = [[['1', '0.6']]];
    sender.ping('n1');
    await settleTurns(2);
    expect(watch.paused).toBe(true);
    sender.send([event('1'), event('2')]);
    await clock.advance('1s');
    expect(flushes()).toEqual([[undefined]]);
    expect(sender.counters.dropped).toBe(2);
    client.answers = [[['1', '0.4']]];
    sender.ping('n2');
    await clock.advance('1s');
    expect(sent().slice(-2)).toEqual([[['p_ping', '{"nonce":"n2","queue_full":true}']], [['p_look_at_everything', '{}']]]);
  });

  it('keeps what was about to go when the queue filled up, asks nothing for it, and sends it when there is room', async () => {
    attach();
    sender.send([event('1')]);
    watch.onNotice({ message: 'NOTIFY queue is 60% full' });
    await settleTurns(1);
    expect(client.queries).toEqual([]);
    client.answers = [[['1', '0.4']]];
    sender.ping('n1');
    await clock.advance('1s');
    expect(flushes()).toEqual([[undefined], ['1']]);
    expect(sender.counters).toEqual({ sent: 1, coalesced: 0, dropped: 0 });
  });

  it('asks for the usage of a queue that refused as full, which is what lets it heal', async () => {
    attach();
    client.answers = [serverError('54000'), [['0.01']]];
    sender.send([event('1')]);
    await clock.advance(5);
    expect(client.queries[1]!.text).toBe('SELECT pg_notification_queue_usage()');
    expect([watch.paused, watch.usage]).toEqual([false, 0.01]);
    expect(flushes()).toEqual([['1'], ['1']]);
  });

  it('flushes once at its end, takes nothing more, and does not wait for a server that is silent', async () => {
    attach();
    sender.send([event('1')]);
    await settleTurns(1);
    sender.send([event('2')]);
    await sender.stop(250);
    expect(flushes()).toEqual([['1'], ['2']]);
    sender.send([event('3')]);
    await clock.advance('1s');
    expect(flushes().length).toBe(2);
    expect(clock.pendingTimers).toBe(0);
  });

  it('tells of what it dropped before at its end, and sends nothing into a queue that has no room', async () => {
    attach();
    client.answers = [serverError('55P03'), serverError('55P03')];
    sender.send([event('1')]);
    await clock.advance(5);
    expect(flushes()).toEqual([['1'], ['1']]);
    await sender.stop(250);
    expect(flushes().at(-1)).toEqual([undefined]);
    expect(client.queries.length).toBe(3);
    client = new FakeClient();
    sender = new Sender({ clock, windowMs: 5, channels: channelNames('p'), watch });
    attach();
    await settleTurns(1);
    sender.send([event('2')]);
    watch.onNotice({ message: 'NOTIFY queue is 60% full' });
    await sender.stop(250);
    expect([client.queries.length, sender.counters.dropped]).toEqual([0, 1]);
  });

  it('counts what a silent server leaves unsent at the end as dropped', async () => {
    client.answers = ['silence'];
    attach();
    sender.send([event('1')]);
    await settleTurns(1);
    sender.send([event('2'), event('3')]);
    const stopped = sender.stop(250);
    await clock.advance(250);
    await stopped;
    expect(sender.counters).toMatchObject({ sent: 0, dropped: 2 });
  });
});
