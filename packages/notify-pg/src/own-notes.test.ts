// What the driver of a listening session is spared: whole notes that the process has sent itself, and nothing else, however the bytes are cut.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OwnNotes } from './own-notes.js';

const own = 4711;
const pingChannel = 'größe_ping';

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

/** What is left of these chunks, and how many notes were taken out. */
function sifted(
  chunks: readonly Uint8Array[],
  ownProcessId: number | null = own,
): { readonly left: Buffer; readonly count: number } {
  let count = 0;
  const notes = new OwnNotes({ ownProcessId: () => ownProcessId, pingChannel, onOwn: (more) => void (count += more) });
  return { left: Buffer.concat(chunks.flatMap((chunk) => notes.sift(chunk))), count };
}

const mine = note(own, 'größe_outbox_pending');
const others = note(own + 1, 'größe_outbox_pending');
const ping = note(own, pingChannel, '{"nonce":"n"}');
const answer = message('C', Buffer.from('LISTEN\0'));

describe('the own notes of a process', () => {
  it('are taken out, and nonces, notes of others and whatever else is said stay in their order', () => {
    const { left, count } = sifted([Buffer.concat([answer, mine, mine, others, mine, ping, mine, answer]), mine]);
    expect(left).toEqual(Buffer.concat([answer, others, ping, answer]));
    expect(count).toBe(5);
  });

  it('leave nothing for the driver of a chunk that holds no others, and the very chunk where there are none', () => {
    expect(new OwnNotes({ ownProcessId: () => own, pingChannel, onOwn: () => undefined }).sift(mine)).toEqual([]);
    const chunk = Buffer.concat([others, ping]);
    expect(new OwnNotes({ ownProcessId: () => own, pingChannel, onOwn: () => undefined }).sift(chunk)[0]).toBe(chunk);
  });

  it('stay where it is not known who sends for this process', () => {
    expect(sifted([mine], null)).toEqual({ left: mine, count: 0 });
  });

  it('of channels with names as long as that of nonces are taken out, and nonces are not, whatever is in them', () => {
    const alike = note(own, 'x'.repeat(Buffer.byteLength(pingChannel)));
    expect(sifted([Buffer.concat([alike, note(own, pingChannel, '')])])).toEqual({ left: note(own, pingChannel, ''), count: 1 });
  });

  it('are whole or stay, and no byte of anything else is lost, however the stream is cut', () => {
    const messages = fc.array(
      fc.constantFrom(mine, others, ping, answer, message('Z', Buffer.from('I')), message('N', Buffer.alloc(300))),
    );
    fc.assert(
      fc.property(messages, fc.array(fc.nat({ max: 60 }), { minLength: 1 }), (all, cuts) => {
        const stream = Buffer.concat(all);
        const chunks: Buffer[] = [];
        for (let at = 0, index = 0; at < stream.length; index++) {
          const size = 1 + cuts[index % cuts.length]!;
          chunks.push(stream.subarray(at, at + size));
          at += size;
        }
        const { left, count } = sifted(chunks);
        expect(left.length).toBe(stream.length - count * mine.length);
        // Taken out again, nothing but notes of its own is missing.
        expect(sifted([left]).left).toEqual(Buffer.concat(all.filter((each) => each !== mine)));
      }),
    );
  });

  it('are left to the driver, with all that follows, where lengths make no sense', () => {
    const nonsense = Buffer.from([65, 0, 0, 0, 1, 9, 9, 9, 9]);
    for (const chunks of [
      [nonsense, mine],
      [nonsense.subarray(0, 3), nonsense.subarray(3), mine],
      [Buffer.alloc(40, 0xff), mine],
    ]) {
      expect(sifted(chunks)).toEqual({ left: Buffer.concat(chunks), count: 0 });
    }
  });
});
