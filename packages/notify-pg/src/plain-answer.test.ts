// Which answers of a server are taken for "done", and that no other one is shortened.
import { describe, expect, it } from 'vitest';
import { endOfPlainAnswer } from './plain-answer.js';

function message(letter: string, body = ''): Buffer {
  const bytes = Buffer.alloc(5 + Buffer.byteLength(body));
  bytes.write(letter);
  bytes.writeUInt32BE(bytes.length - 1, 1);
  bytes.write(body, 5);
  return bytes;
}

const bound = message('2');
const row = message('D', '\0\u0001\0\0\0\0');
const done = message('C', 'SELECT 1\0');
const ready = message('Z', 'I');

describe('an answer', () => {
  it('that says that all was done is its end alone, also of a statement that was parsed with it', () => {
    expect(endOfPlainAnswer(Buffer.concat([bound, row, done, ready]))).toEqual(ready);
    expect(endOfPlainAnswer(Buffer.concat([message('3'), message('1'), bound, row, done, ready]))).toEqual(ready);
  });

  it.each([
    ['an error', [bound, message('E', 'SERROR\0\0'), ready]],
    ['a notice', [bound, message('N', 'SWARNING\0\0'), row, done, ready]],
    ['a setting', [bound, row, done, message('S', 'a\0b\0'), ready]],
    ['a note', [bound, row, done, message('A', '\0\0\0\u0001c\0p\0'), ready]],
    ['nothing but its end', [ready]],
    ['no end', [bound, row, done]],
    ['an end of another length', [bound, row, done, message('Z', 'II')]],
    ['more behind its end', [bound, row, done, ready, bound.subarray(0, 3)]],
    ['a beginning that is missing', [row.subarray(3), done, ready]],
    ['a message that reaches over its end', [Buffer.from([0x44, 0, 0, 0, 20]), done, ready]],
    ['a length that makes no sense', [Buffer.from([0x44, 0, 0, 0, 3]), done, ready]],
    ['nothing', []],
  ])('with %s is left as it is', (_what, messages) => {
    expect(endOfPlainAnswer(Buffer.concat(messages))).toBeNull();
  });
});
