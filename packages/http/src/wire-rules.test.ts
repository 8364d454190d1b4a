// The small rules of the wire, by the examples of the specifications and at their edges.
import { describe, expect, test } from 'vitest';
import { decodeBase64, encodeBase64 } from './base64.js';
import { decodeHeaderValue, encodeHeaderValue } from './header-value.js';
import { isJsonType, isTextType, parseMediaType } from './media-type.js';
import { retryAfterMs } from './retry-after.js';
import { parseTimestamp } from './timestamp.js';

describe('header values', () => {
  test('the example of the specification', () => {
    expect(encodeHeaderValue('Euro € 😀')).toBe('Euro%20%E2%82%AC%20%F0%9F%98%80');
    expect(decodeHeaderValue('Euro%20%E2%82%AC%20%F0%9F%98%80')).toBe('Euro € 😀');
  });

  test('what must be encoded is, and nothing else', () => {
    const printable = Array.from({ length: 0x7f - 0x21 }, (_, index) => String.fromCharCode(0x21 + index)).join('');
    expect(encodeHeaderValue(printable)).toBe(printable.replace('%', '%25').replace('"', '%22'));
    expect(encodeHeaderValue(' \u007f\u0080')).toBe('%20%7F%C2%80');
  });

  test.each([
    ['lower case', '%e2%82%ac', '€'],
    ['needlessly encoded', '%61b', 'ab'],
    ['once only', '%2541', '%41'],
    ['a percent sign for itself', '100%, %zz, %4', '100%, %zz, %4'],
    ['quotes', '"a \\"b\\" \\\\ c"', 'a "b" \\ c'],
    ['quotes, then percent', '"%C3%BC %22"', 'ü "'],
    ['a quote within', 'a"b', 'a"b'],
    ['quotes that do not end', '"a', '"a'],
    ['a mark at the beginning', '%EF%BB%BFa', '\ufeffa'],
    ['bytes that were not encoded', 'gr\u00c3\u00bc\u00c3\u009fe', 'grüße'],
    ['nothing', '', ''],
  ])('decoded: %s', (_, header, value) => {
    expect(decodeHeaderValue(header)).toBe(value);
  });

  test.each(['%C0%A0', '%ff', '%ED%A0%80', '%E2%82', '\u00fc', '\u20ac'])('no UTF-8: %s', (header) => {
    expect(decodeHeaderValue(header)).toBeUndefined();
  });
});

describe('timestamps', () => {
  test.each([
    ['2018-04-05T17:31:00Z', '2018-04-05T17:31:00.000Z'],
    ['2018-04-05t17:31:00z', '2018-04-05T17:31:00.000Z'],
    ['1985-04-12T23:20:50.52Z', '1985-04-12T23:20:50.520Z'],
    ['1996-12-19T16:39:57-08:00', '1996-12-20T00:39:57.000Z'],
    ['1937-01-01T12:00:27.87+00:20', '1937-01-01T11:40:27.870Z'],
    ['1990-12-31T23:59:60Z', '1991-01-01T00:00:00.000Z'],
    ['2020-01-01T00:00:00.123456789Z', '2020-01-01T00:00:00.123Z'],
    ['2020-01-01T00:00:00.9999Z', '2020-01-01T00:00:00.999Z'],
    ['0050-02-28T00:00:00Z', '0050-02-28T00:00:00.000Z'],
    ['2024-02-29T00:00:00-00:00', '2024-02-29T00:00:00.000Z'],
  ])('%s', (text, time) => {
    expect(parseTimestamp(text)?.toISOString()).toBe(time);
  });

  test.each([
    '2023-02-29T00:00:00Z',
    '2018-13-01T00:00:00Z',
    '2018-00-01T00:00:00Z',
    '2018-01-00T00:00:00Z',
    '2018-01-01T24:00:00Z',
    '2018-01-01T00:60:00Z',
    '2018-01-01T00:00:61Z',
    '2018-01-01T00:00:00+24:00',
    '2018-01-01T00:00:00',
    '2018-01-01 00:00:00Z',
    '2018-01-01',
    '2018-01-01T00:00Z',
    '2018-01-01T00:00:00.Z',
    '+012018-01-01T00:00:00Z',
    '',
    'now',
  ])('none: %s', (text) => {
    expect(parseTimestamp(text)).toBeUndefined();
  });

  test('every millisecond comes back', () => {
    for (let ms = 0; ms < 1000; ms++) {
      const text = `2020-01-01T00:00:00.${String(ms).padStart(3, '0')}Z`;
      expect(parseTimestamp(text)?.toISOString()).toBe(text);
    }
  });
});

describe('Base64', () => {
  test.each([
    ['', ''],
    ['f', 'Zg=='],
    ['fo', 'Zm8='],
    ['foo', 'Zm9v'],
    ['foobar', 'Zm9vYmFy'],
  ])('the vectors of RFC 4648: %j', (text, encoded) => {
    expect(encodeBase64(new TextEncoder().encode(text))).toBe(encoded);
    expect(new TextDecoder().decode(decodeBase64(encoded))).toBe(text);
  });

  test('long arrays', () => {
    const bytes = Uint8Array.from({ length: 300_001 }, (_, index) => index * 31);
    expect(decodeBase64(encodeBase64(bytes))).toEqual(bytes);
  });

  test.each(['Zg', 'Zg=', 'Z===', '====', 'Zm9v\n', 'Zm 9v', 'Zm9-', 'Zm9_', 'Zg==Zg=='])('none: %j', (text) => {
    expect(decodeBase64(text)).toBeUndefined();
  });
});

describe('media types', () => {
  test.each([
    ['application/json', true, false],
    ['Application/JSON; charset=utf-8', true, false],
    ['application/vnd.a+json', true, false],
    ['text/json', true, true],
    ['text/plain;charset="UTF-8"', false, true],
    ['application/jsonp', false, false],
    ['application/json-seq', false, false],
    ['application/a+json+xml', false, false],
  ])('%s', (text, json, isText) => {
    const type = parseMediaType(text)!;
    expect([isJsonType(type), isTextType(type)]).toEqual([json, isText]);
  });

  test('charsets', () => {
    expect(parseMediaType('text/plain; format=flowed; Charset="ISO-8859-1"')?.charset).toBe('iso-8859-1');
    expect(parseMediaType('text/plain ;charset=UTF-8')?.charset).toBe('utf-8');
    expect(parseMediaType('text/plain')?.charset).toBeUndefined();
  });

  test.each([null, '', 'json', 'a/', '/b', 'a/b c', 'a b/c'])('none: %j', (text) => {
    expect(parseMediaType(text)).toBeUndefined();
  });
});

test('Retry-After', () => {
  const now = Date.UTC(2026, 0, 1);
  expect(retryAfterMs(null, now)).toBeUndefined();
  expect(retryAfterMs('soon', now)).toBeUndefined();
  expect(retryAfterMs('120', now)).toBe(120_000);
  expect(retryAfterMs('0', now)).toBe(0);
  expect(retryAfterMs('Thu, 01 Jan 2026 00:00:30 GMT', now)).toBe(30_000);
  expect(retryAfterMs('Wed, 31 Dec 2025 00:00:00 GMT', now)).toBe(0);
  expect(retryAfterMs('99999999999', now)).toBe(86_400_000);
});
