// Shows what is read although it is large, and what is not.
import { describe, expect, it } from 'vitest';
import { isPlain } from './plain-text.js';

describe('a text is worth reading', () => {
  it.each([
    ['short', '['.repeat(512)],
    ['one long string', JSON.stringify({ instance_id: 'x'.repeat(7900) })],
    ['a string of marks', JSON.stringify({ instance_id: '[{,'.repeat(2000) })],
    ['a string of quotes and backslashes', JSON.stringify({ instance_id: '"[\\,'.repeat(800) })],
    ['several of them', JSON.stringify(Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`key${i}`, 'x'.repeat(100)])))],
  ])('when it is %s', (_name, text) => {
    expect(isPlain(text)).toBe(true);
  });

  it.each([
    ['deep', '['.repeat(7999)],
    ['deep behind a key', '{"a":'.repeat(1500)],
    ['of many keys', JSON.stringify(Object.fromEntries(Array.from({ length: 800 }, (_, i) => [`k${i}`, i])))],
    ['a long list', JSON.stringify(Array.from({ length: 2000 }, () => 1))],
    ['deep behind a string that ends in a backslash', `{"a\\\\":${'['.repeat(600)}`],
  ])('and not when it is %s', (_name, text) => {
    expect(isPlain(text)).toBe(false);
  });
});
