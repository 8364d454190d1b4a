// What the driver of a listening session is spared: notes of known channels, read or its own, and nothing else, however the bytes are cut.
import type { Wakeup } from '@romancy/core/ports';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { channelNames, type NoteKind } from './channel-names.js';
import { readNote, type Heard } from './decode-note.js';
import { encodeWakeup } from './encode-wakeup.js';
import { NoteStream } from './note-stream.js';

const own = 4711;
const channels = channelNames('größe');
const pingChannel = channels.ping;

/** A message of the server. */
function message(kind: string, body: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.write(kind);
  head.writeUInt32BE(4 + body.length, 1);
  return Buffer.concat([head, body]);
}

function note(processId: number, channel: string, payload = '{"event_id":"e"}'): Buffer {
  const sender = Buffer.alloc(4);
  sender.writeInt32BE(processId);
  return message('A', Buffer.concat([sender, Buffer.from(`${channel}\0${payload}\0`)]));
}

interface Sifted {
  /** What is left for the driver. */
  readonly left: Buffer;
  /** How many notes were taken out as own ones. */
  readonly count: number;
  readonly heard: readonly Heard[];
}

function sifted(chunks: readonly Uint8Array[], ownProcessId: number | null = own): Sifted {
  let count = 0;
  const heard: Heard[] = [];
  const stream = new NoteStream({
    channels,
    ownProcessId: () => ownProcessId,
    onOwn: (more) => void (count += more),
    onNote: (one) => void heard.push(one),
  });
  return { left: Buffer.concat(chunks.flatMap((chunk) => stream.sift(chunk))), count, heard };
}

/** Cut into pieces of these sizes, again and again. */
function cut(stream: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0, index = 0; at < stream.length; index++) {
    const size = 1 + sizes[index % sizes.length]!;
    chunks.push(stream.subarray(at, at + size));
    at += size;
  }
  return chunks;
}

const mine = note(own, channels.outbox_pending);
const others = note(own + 1, channels.outbox_pending);
const strangers = note(own + 1, 'somebody_else');
const ping = note(own, pingChannel, '{"nonce":"n"}');
const answer = message('C', Buffer.from('LISTEN\0'));
const pinged: Heard = { kind: 'ping', nonce: 'n', isQueueFull: false };
const event: Wakeup = { kind: 'outbox_pending', eventId: 'e' };

describe('the own notes of a process', () => {
  it('are taken out, those of others and nonces are read, and whatever else is said stays in its order', () => {
    const all = [answer, mine, mine, others, mine, ping, strangers, mine, answer];
    const { left, count, heard } = sifted([Buffer.concat(all), mine]);
    expect(left).toEqual(Buffer.concat([answer, strangers, answer]));
    expect(count).toBe(5);
    expect(heard).toEqual([event, pinged]);
  });

  it('leave nothing for the driver of a chunk that holds no others, and the very chunk where there is nothing to take', () => {
    const stream = new NoteStream({ channels, ownProcessId: () => own, onOwn: () => undefined, onNote: () => undefined });
    expect(stream.sift(mine)).toEqual([]);
    const chunk = Buffer.concat([strangers, answer]);
    expect(stream.sift(chunk)[0]).toBe(chunk);
  });

  it('are read where it is not known who sends for this process', () => {
    expect(sifted([mine], null)).toEqual({ left: Buffer.alloc(0), count: 0, heard: [event] });
  });

  it('of channels with names as long as that of nonces are taken out, and nonces are not, whatever is in them', () => {
    const alike = note(own, 'x'.repeat(Buffer.byteLength(pingChannel)));
    const { left, count, heard } = sifted([Buffer.concat([alike, note(own, pingChannel, '')])]);
    expect([left.length, count, heard]).toEqual([0, 1, [null]]);
  });

  it('are found, and those of others read in their order, and no byte of anything else is lost, however the stream is cut', () => {
    const messages = fc.array(
      fc.constantFrom(mine, others, strangers, ping, answer, message('Z', Buffer.from('I')), message('N', Buffer.alloc(300))),
    );
    fc.assert(
      fc.property(messages, fc.array(fc.nat({ max: 60 }), { minLength: 1 }), (all, cuts) => {
        const { left, count, heard } = sifted(cut(Buffer.concat(all), cuts));
        expect(left).toEqual(Buffer.concat(all.filter((each) => each !== mine && each !== others && each !== ping)));
        expect(count).toBe(all.filter((each) => each === mine).length);
        const notes = new Map<Buffer, Heard>([
          [others, event],
          [ping, pinged],
        ]);
        expect(heard).toEqual(all.flatMap((each) => notes.get(each) ?? []));
      }),
      { numRuns: 10_000 },
    );
  }, 60_000);

  it('keep no more of what has begun than a note, and give the driver at once what is longer, or is none', () => {
    const endless = Buffer.from([65, 0, 1, 0, 0]);
    const begun = message('D', Buffer.alloc(100)).subarray(0, 50);
    for (const chunk of [endless, begun]) expect(sifted([chunk]).left).toEqual(chunk);
    for (const chunk of [mine.subarray(0, 4), mine.subarray(0, 20)]) expect(sifted([chunk]).left).toEqual(Buffer.alloc(0));
  });

  it('are left to the driver, with all that follows, where lengths make no sense', () => {
    const nonsense = Buffer.from([65, 0, 0, 0, 1, 9, 9, 9, 9]);
    for (const chunks of [
      [nonsense, mine],
      [nonsense.subarray(0, 3), nonsense.subarray(3), mine],
      [Buffer.alloc(40, 0xff), mine],
    ]) {
      expect(sifted(chunks)).toEqual({ left: Buffer.concat(chunks), count: 0, heard: [] });
    }
  });
});

describe('the notes of others', () => {
  const resumable = (id: string, name = 'order'): string =>
    encodeWakeup({ kind: 'workflow_resumable', instanceId: id, workflowName: name }).payload;
  const told = (payloads: readonly string[], kind: NoteKind = 'workflow_resumable'): readonly Heard[] =>
    sifted([Buffer.concat(payloads.map((payload) => note(own + 1, channels[kind], payload)))]).heard;

  it('say the same as when the driver reads them, on each channel, also after many that are just alike', () => {
    const long = `{"instance_id":"${'x'.repeat(8000)}","workflow_name":"order"}`;
    const payloads = [
      resumable('1'),
      resumable('2'),
      resumable('3', 'other'),
      resumable('4', 'other'),
      ...['', 'ü', 'a"b', 'a\\', '\u0001', '\ud800', '__proto__'].map((id) => resumable(id)),
      resumable('5'),
      resumable('ü', 'größe'),
      resumable('6', 'größe'),
      resumable('7', 'größe'),
      '{"instance_id":"8","workflow_name":"größe","more":3}',
      '{"instance_id":"9","workflow_name":"größe","more":3}',
      '{"instance_id":"10","workflow_name":"größe"} ',
      '{"instance_id":"11","instance_id":"twice","workflow_name":"größe"}',
      '{"instance_id":"","workflow_name":"größe"}',
      '{"instance_id":"a\nb","workflow_name":"größe"}',
      '{"workflow_name":"größe","instance_id":"12"}',
      '{}',
      '',
      long,
      resumable('13', 'größe'),
    ];
    for (const kind of Object.keys(channels) as NoteKind[]) {
      expect(told(payloads, kind)).toEqual(payloads.map((payload) => readNote(kind, payload)));
    }
  });

  it('say the same whatever id and workflow follow each other', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '"', '\\', ',', '}', 'ü', '\u007f', '\n'), maxLength: 4 });
    const payload = fc.oneof(
      fc.tuple(text, fc.constantFrom('w', 'v', 'ü')).map(([id, name]) => resumable(id, name)),
      fc.tuple(text, text).map(([id, name]) => `{"instance_id":"${id}","workflow_name":"${name}"}`),
    );
    const property = fc.property(fc.array(payload), (payloads) => {
      expect(told(payloads)).toEqual(payloads.map((each) => readNote('workflow_resumable', each)));
    });
    fc.assert(property, { numRuns: 2000 });
  });

  it('that do not end as notes do are left to the driver', () => {
    const endless = note(own + 1, channels.outbox_pending).subarray(0, -1);
    endless.writeUInt32BE(endless.length - 1, 1);
    const early = note(own + 1, channels.outbox_pending, 'a\0b');
    const short = message('A', Buffer.from([0, 0, 0, 1]));
    const nameless = message('A', Buffer.concat([Buffer.from([0, 0, 0, 1]), Buffer.from(channels.ping)]));
    for (const one of [endless, early, short, nameless]) {
      expect(sifted([Buffer.concat([one, others])])).toEqual({ left: one, count: 0, heard: [event] });
    }
  });

  it('lose nothing and end nothing among garbage', () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
      fc.constantFrom(mine, others, ping),
    );
    const property = fc.property(fc.array(piece), fc.array(fc.nat({ max: 60 }), { minLength: 1 }), (pieces, cuts) => {
      const stream = Buffer.concat(pieces);
      const { left, count, heard } = sifted(cut(stream, cuts));
      // What was taken is no more than what stood there.
      expect(left.length + (count + heard.length) * Math.min(mine.length, ping.length)).toBeLessThanOrEqual(stream.length);
      if (count + heard.length === 0) expect(left).toEqual(stream.subarray(0, left.length));
    });
    fc.assert(property, { numRuns: 2000 });
  });
});
