// The bytes of a kept statement, read as a server reads them.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { executing, keptStatement } from './kept-statement.js';

interface Message {
  readonly letter: string;
  readonly body: Buffer;
}

function messagesOf(bytes: Uint8Array): Message[] {
  const all = Buffer.from(bytes);
  const messages: Message[] = [];
  for (let at = 0; at < all.length;) {
    const end = at + 1 + all.readInt32BE(at + 1);
    messages.push({ letter: all.toString('latin1', at, at + 1), body: all.subarray(at + 5, end) });
    at = end;
  }
  return messages;
}

/** What a Bind says: portal and statement, and the values, all of them text, for results that are text. */
function boundBy(body: Buffer): readonly string[] {
  const read: string[] = [];
  let at = 0;
  for (let count = 0; count < 2; count++) {
    const end = body.indexOf(0, at);
    read.push(body.toString('utf8', at, end));
    at = end + 1;
  }
  expect(body.readInt16BE(at)).toBe(0);
  const values = body.readInt16BE(at + 2);
  at += 4;
  for (let count = 0; count < values; count++) {
    const length = body.readInt32BE(at);
    read.push(body.toString('utf8', at + 4, at + 4 + length));
    at += 4 + length;
  }
  expect(body.readInt16BE(at)).toBe(0);
  expect(body.length).toBe(at + 2);
  return read;
}

const statement = { name: 'näme', text: 'SELECT $1, $2, $3', parameters: 3 };

describe('a kept statement', () => {
  it('is bound, executed and synced in one piece, whatever its values, in memory of its own or in what it is given', () => {
    const values = fc.tuple(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme', maxLength: 400 }));
    const property = fc.property(values, fc.nat({ max: 800 }), (given, room) => {
      const kept = keptStatement(statement, ['größe']);
      const bytes = executing(kept, given, { isParsed: true, scratch: Buffer.alloc(room, 0xff) });
      const [bind, execute, sync, ...more] = messagesOf(bytes);
      expect(bind!.letter).toBe('B');
      const asSent = given.map((value) => Buffer.from(value).toString());
      expect(boundBy(bind!.body)).toEqual(['', statement.name, 'größe', ...asSent]);
      expect(execute).toEqual({ letter: 'E', body: Buffer.alloc(5) });
      expect(sync).toEqual({ letter: 'S', body: Buffer.alloc(0) });
      expect(more).toEqual([]);
      expect(Buffer.compare(bytes, executing(kept, given, { isParsed: true, scratch: null }))).toBe(0);
    });
    fc.assert(property);
  });

  it('is forgotten and parsed before, for a session that may not know it', () => {
    const kept = keptStatement(statement);
    const values = ['a', 'b', 'c'];
    for (const scratch of [null, Buffer.alloc(2048)]) {
      const [close, parse, ...rest] = messagesOf(executing(kept, values, { isParsed: false, scratch }));
      expect(close).toEqual({ letter: 'C', body: Buffer.from('Snäme\0') });
      expect(parse).toEqual({ letter: 'P', body: Buffer.from('näme\0SELECT $1, $2, $3\0\0\0') });
      expect(rest).toEqual(messagesOf(executing(kept, values, { isParsed: true, scratch: null })));
    }
  });

  it('is written into the memory that it is given where it fits', () => {
    const scratch = Buffer.alloc(2048);
    const kept = keptStatement(statement);
    const small = executing(kept, ['a', 'b', 'c'], { isParsed: true, scratch });
    expect(small.buffer).toBe(scratch.buffer);
    expect(executing(kept, ['a', 'b', 'c'.repeat(700)], { isParsed: true, scratch }).buffer).not.toBe(scratch.buffer);
  });
});
