// What is an event in each mode, and what is none: CloudEvents 1.0.2, its JSON format and its HTTP binding.
import { describe, expect, test } from 'vitest';
import { createHttpHandler } from '../src/index.js';
import { recordingApp } from './recording-app.js';
import { binary, plainEvent, post, structured } from './requests.js';

/** What the app is handed. */
async function received(request: Request): Promise<unknown> {
  const app = recordingApp();
  const answer = await createHttpHandler(app)(request);
  expect([answer.status, await answer.text()]).toEqual([202, '{"accepted":1,"duplicates":0}']);
  return app.events[0];
}

async function refused(request: Request): Promise<readonly [number, string]> {
  const app = recordingApp();
  const answer = await createHttpHandler(app)(request);
  expect(app.events).toEqual([]);
  return [answer.status, ((await answer.json()) as { readonly error_type: string }).error_type];
}

const [id, source, type] = ['e-1', '/tests', 'thing.happened'];
const plain = { id, source, type, extensions: {} };
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('structured', () => {
  test.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    ['no more than it must have', {}, {}],
    ['null is unset', { subject: null, time: null, datacontenttype: null, trace: null, data_base64: null }, {}],
    ['null as data is a value', { data: null }, { data: null }],
    ['a text as data', { data: 'x' }, { data: 'x' }],
    ['a text that looks like JSON', { data: '{"a":1}', datacontenttype: 'application/json' }, { data: '{"a":1}' }],
    ['numbers, booleans, lists as data', { data: [1, true, 'x', null] }, { data: [1, true, 'x', null] }],
    [
      'text as data',
      { data: '<a/>', datacontenttype: 'application/xml' },
      { data: '<a/>', extensions: { datacontenttype: 'application/xml' } },
    ],
    ['null as data of a text', { data: null, datacontenttype: 'text/plain' }, { extensions: { datacontenttype: 'text/plain' } }],
    ['bytes', { data_base64: 'AP8=' }, { data: new Uint8Array([0, 255]) }],
    ['no bytes', { data_base64: '' }, { data: new Uint8Array() }],
    ['JSON in Base64', { data_base64: btoa('{"a":1}'), datacontenttype: 'application/json' }, { data: { a: 1 } }],
    ['JSON in Base64 that nobody calls JSON', { data_base64: btoa('{"a":1}') }, { data: bytes('{"a":1}') }],
    [
      'text in Base64, in its charset',
      { data_base64: btoa('gr\xfc\xdfe'), datacontenttype: 'text/plain; charset=iso-8859-1' },
      { data: 'grüße', extensions: { datacontenttype: 'text/plain; charset=iso-8859-1' } },
    ],
    [
      'extensions of each type',
      { text: '', yes: true, least: -(2 ** 31), most: 2 ** 31 - 1, a1234567890123456789012345: 'long' },
      { extensions: { text: '', yes: true, least: -(2 ** 31), most: 2 ** 31 - 1, a1234567890123456789012345: 'long' } },
    ],
    ['names that objects have', { constructor: 'x', tostring: 'y' }, { extensions: { constructor: 'x', tostring: 'y' } }],
    ['a schema', { dataschema: 'https://x.example/s' }, { extensions: { dataschema: 'https://x.example/s' } }],
    ['time with an offset', { time: '2020-01-01T01:00:00+01:00' }, { time: new Date('2020-01-01T00:00:00Z') }],
  ])('%s', async (_, event, expected) => {
    expect(await received(structured(event))).toEqual({ ...plain, ...expected });
  });

  test.each<[string, unknown]>([
    ['no id', { ...plainEvent, id: undefined }],
    ['no source', { ...plainEvent, source: undefined }],
    ['no type', { ...plainEvent, type: null }],
    ['no version', { ...plainEvent, specversion: undefined }],
    ['another version', { ...plainEvent, specversion: '0.3' }],
    ['a version that is a number', { ...plainEvent, specversion: 1.0 }],
    ['an empty id', { ...plainEvent, id: '' }],
    ['an id that is a number', { ...plainEvent, id: 1 }],
    ['a control character', { ...plainEvent, type: 'a\u0000' }],
    ['a control character of C1', { ...plainEvent, source: 'a\u0085' }],
    ['half of a surrogate pair', { ...plainEvent, subject: '\ud800' }],
    ['a noncharacter', { ...plainEvent, trace: '\ufffe' }],
    ['an empty subject', { ...plainEvent, subject: '' }],
    ['an empty schema', { ...plainEvent, dataschema: '' }],
    ['a subject that is an object', { ...plainEvent, subject: {} }],
    ['a time that is none', { ...plainEvent, time: 'yesterday' }],
    ['a time that is a number', { ...plainEvent, time: 0 }],
    ['a content type that is none', { ...plainEvent, datacontenttype: 'json' }],
    ['an upper-case extension', { ...plainEvent, traceId: 'x' }],
    ['an extension with an underscore', { ...plainEvent, trace_id: 'x' }],
    ['an extension without a name', { ...plainEvent, '': 'x' }],
    ['a prototype', `{"specversion":"1.0","id":"1","source":"/x","type":"t","__proto__":{"a":1}}`],
    ['an extension that is an object', { ...plainEvent, trace: {} }],
    ['an extension that is a list', { ...plainEvent, trace: [] }],
    ['an extension that is no integer', { ...plainEvent, n: 1.5 }],
    ['an extension above 32 bits', { ...plainEvent, n: 2 ** 31 }],
    ['an empty instance', { ...plainEvent, romancyinstance: '' }],
    ['an instance that is a number', { ...plainEvent, romancyinstance: 1 }],
    ['data twice', { ...plainEvent, data: 1, data_base64: 'AA==' }],
    ['null and bytes', { ...plainEvent, data: null, data_base64: 'AA==' }],
    ['no Base64', { ...plainEvent, data_base64: 'A' }],
    ['Base64 for addresses', { ...plainEvent, data_base64: '_-8=' }],
    ['Base64 that is a number', { ...plainEvent, data_base64: 1 }],
    ['Base64 of no JSON', { ...plainEvent, data_base64: 'AA==', datacontenttype: 'application/json' }],
    ['Base64 of no UTF-8', { ...plainEvent, data_base64: '/w==', datacontenttype: 'text/plain' }],
    ['data that is no text where it must be', { ...plainEvent, data: {}, datacontenttype: 'text/plain' }],
    ['a list', []],
    ['null', 'null'],
    ['a text', '"x"'],
    ['nothing', ''],
    ['no JSON', '{"a"'],
  ])('%s is refused', async (_, event) => {
    const body = typeof event === 'string' ? event : JSON.stringify(event);
    expect(await refused(post('/events', body, { 'content-type': 'application/cloudevents+json' }))).toEqual([
      400,
      'INVALID_EVENT',
    ]);
  });

  test.each<[Record<string, unknown>, string]>([
    [{ id: undefined }, 'id is missing'],
    [{ id: 1 }, 'id is 1; it takes a text'],
    [{ subject: false }, 'subject is false; it takes a text'],
    [{ trace: {} }, 'trace is an object; it takes a text, a boolean, or an integer of 32 bits'],
    [{ trace: [] }, 'trace is a list; it takes a text, a boolean, or an integer of 32 bits'],
    [{ time: 'x'.repeat(81) }, `time is "${'x'.repeat(80)}…"; it takes a timestamp of RFC 3339`],
  ])('%j is told with what it takes', async (event, error) => {
    expect(await (await createHttpHandler(recordingApp())(structured(event))).json()).toMatchObject({ error });
  });

  test('a body that is no UTF-8 is refused', async () => {
    const body = new Uint8Array([...bytes('{"id":"'), 0xff, ...bytes('"}')]);
    expect(await refused(post('/events', body, { 'content-type': 'application/cloudevents+json' }))).toEqual([
      400,
      'INVALID_EVENT',
    ]);
  });

  test('attributes in headers beside it count for nothing', async () => {
    const request = structured();
    request.headers.set('ce-id', 'another');
    expect(await received(request)).toEqual(plain);
  });

  test.each([
    'application/cloudevents+json; charset=utf-8',
    'Application/CloudEvents+JSON',
    'application/cloudevents+json;charset="UTF-8"',
  ])('is told by %s', async (contentType) => {
    expect(await received(post('/events', JSON.stringify(plainEvent), { 'content-type': contentType }))).toEqual(plain);
  });

  test.each([
    'application/cloudevents',
    'application/cloudevents+xml',
    'application/cloudevents-batch',
    'application/cloudevents-batch+avro',
    'application/cloudevents+json; charset=utf-16',
    'application/json',
    'text/plain',
    '',
  ])('%j is not understood', async (contentType) => {
    const request = post('/events', JSON.stringify(plainEvent), { 'content-type': contentType });
    expect(await refused(request)).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE']);
  });
});

describe('binary', () => {
  const withType = (contentType: string) => ({ 'content-type': contentType });

  test.each<[string, string | Uint8Array | null, Record<string, string | undefined>, Record<string, unknown>]>([
    ['no more than it must have', null, {}, {}],
    ['JSON', '{"a":[1]}', withType('application/json'), { data: { a: [1] } }],
    [
      'other JSON',
      'null',
      withType('application/x+json; charset=utf-8'),
      { data: null, extensions: { datacontenttype: 'application/x+json; charset=utf-8' } },
    ],
    ['text', 'grüße', withType('text/plain'), { data: 'grüße', extensions: { datacontenttype: 'text/plain' } }],
    [
      'text in another charset',
      new Uint8Array([0x67, 0xfc]),
      withType('text/plain; charset=latin1'),
      { data: 'gü', extensions: { datacontenttype: 'text/plain; charset=latin1' } },
    ],
    [
      'bytes',
      new Uint8Array([0, 255]),
      withType('image/png'),
      { data: new Uint8Array([0, 255]), extensions: { datacontenttype: 'image/png' } },
    ],
    ['bytes of no type', '{}', {}, { data: bytes('{}') }],
    ['no body, with a type', null, withType('application/json'), {}],
    [
      'encoded attributes',
      null,
      { 'ce-subject': 'Euro%20%E2%82%AC', 'ce-trace': '"a b"' },
      { subject: 'Euro €', extensions: { trace: 'a b' } },
    ],
    ['everything a text', null, { 'ce-n': '3', 'ce-yes': 'true' }, { extensions: { n: '3', yes: 'true' } }],
    ['an upper-case header', null, { 'CE-Trace': 'x' }, { extensions: { trace: 'x' } }],
    ['time', null, { 'ce-time': '2020-01-01T00:00:00Z' }, { time: new Date('2020-01-01T00:00:00Z') }],
    ['other headers', null, { traceparent: 'x', 'x-ce-a': 'y' }, {}],
  ])('%s', async (_, body, headers, expected) => {
    expect(await received(binary(body, headers))).toEqual({ ...plain, ...expected });
  });

  test.each<[string, string | Uint8Array | null, Record<string, string | undefined>]>([
    ['no id', null, { 'ce-id': undefined }],
    ['an empty source', null, { 'ce-source': '' }],
    ['no version', null, { 'ce-specversion': undefined }],
    ['another version', null, { 'ce-specversion': '0.3' }],
    ['an overlong encoding', null, { 'ce-subject': '%C0%A0' }],
    ['an encoded control character', null, { 'ce-subject': 'a%00' }],
    ['a header of its own for the content type', null, { 'ce-datacontenttype': 'text/plain' }],
    ['data in a header', null, { 'ce-data': 'x' }],
    ['a name that can be none', null, { 'ce-trace-id': 'x' }],
    ['a prefix alone', null, { 'ce-': 'x' }],
    ['a time that is none', null, { 'ce-time': '1577836800' }],
    ['no JSON', '{', withType('application/json')],
    ['JSON in UTF-16', '{}', withType('application/json; charset=utf-16')],
    ['no UTF-8', new Uint8Array([255]), withType('text/plain')],
    ['an unknown charset', 'x', withType('text/plain; charset=nonsense')],
    ['a content type that is none', 'x', withType('nonsense')],
  ])('%s is refused', async (_, body, headers) => {
    expect(await refused(binary(body, headers))).toEqual([400, 'INVALID_EVENT']);
  });
});
