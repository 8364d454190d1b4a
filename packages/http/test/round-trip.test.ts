// Any event that is sent is received as it was, in both modes, over a real connection; and nothing that is sent makes the handler fail.
import type { CloudEventInput } from '@romancy/core';
import fc from 'fast-check';
import { beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { coreAttributes } from '../src/attribute-rules.js';
import { createHttpEventSender, createHttpHandler, EventSendError, type OutgoingEvent } from '../src/index.js';
import { recordingApp, type RecordingApp } from './recording-app.js';
import { plainEvent, post } from './requests.js';
import { serve } from './serve.js';

const hidden = /[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u;
const anyText = fc.string({ unit: 'binary', maxLength: 40 }).filter((text) => !hidden.test(text));
const text = anyText.filter((value) => value.length > 0);
const extensionName = fc
  .stringMatching(/^[a-z0-9]{1,20}$/)
  .filter((name) => !coreAttributes.has(name) && name !== 'romancyinstance');
const integer = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const time = fc.date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T00:00:00Z'), noInvalidDate: true });

/** Data with its content type, and whether it is empty: in binary mode, that is none. */
const data = fc.oneof(
  fc.record({ data: fc.jsonValue() }),
  fc.record({
    data: fc.jsonValue(),
    datacontenttype: fc.constantFrom('application/json', 'application/a.b+json; charset=UTF-8'),
  }),
  fc.record({
    data: fc.string({ unit: 'grapheme', minLength: 1 }),
    datacontenttype: fc.constantFrom('text/plain', 'text/xml; charset=utf-8'),
  }),
  fc.record({ data: fc.uint8Array({ minLength: 1 }), datacontenttype: fc.constantFrom('image/png', 'application/octet-stream') }),
  fc.record({ data: fc.uint8Array({ minLength: 1 }) }),
  fc.constant({}),
);
const event: fc.Arbitrary<OutgoingEvent> = fc
  .tuple(
    fc.record(
      {
        id: text,
        source: text,
        type: text,
        subject: text,
        time: fc.oneof(
          time,
          time.map((date) => date.toISOString()),
        ),
        extensions: fc.dictionary(extensionName, fc.oneof(anyText, integer, fc.boolean())),
      },
      { requiredKeys: ['id', 'source', 'type'] },
    ),
    data,
  )
  .map(([attributes, content]) => ({ ...attributes, ...content }));

/** What the handler is to make of an event. In headers, everything is a text. */
function expected(sent: OutgoingEvent, mode: 'structured' | 'binary'): CloudEventInput {
  const { id, source, type, subject, datacontenttype } = sent;
  const plain = datacontenttype === undefined || datacontenttype === 'application/json';
  const extensions = Object.entries({ ...sent.extensions, ...(plain ? {} : { datacontenttype }) }).map(([name, value]) => {
    return [name, mode === 'binary' ? String(value) : value] as const;
  });
  return {
    id,
    source,
    type,
    ...(subject === undefined ? {} : { subject }),
    ...(sent.time === undefined ? {} : { time: new Date(sent.time) }),
    ...(sent.data === undefined ? {} : { data: sent.data }),
    extensions: Object.fromEntries(extensions),
  };
}

describe('round trip', () => {
  let app: RecordingApp;
  let url: string;
  beforeAll(async () => {
    app = recordingApp();
    url = await serve(createHttpHandler(app));
  });
  beforeEach(() => void app.events.splice(0));

  test.each(['structured', 'binary'] as const)('%s', async (mode) => {
    const send = createHttpEventSender({ url: `${url}/events`, mode });
    await fc.assert(
      fc.asyncProperty(event, async (sent) => {
        app.events.splice(0);
        await send(sent);
        // -0 is a number of JavaScript and none of JSON.
        const received = withoutNegativeZero(expected(sent, mode));
        expect(app.events).toEqual([received]);
        // Whoever receives it can hand it on as it is.
        await send(app.events[0] as OutgoingEvent);
        expect(app.events).toEqual([received, received]);
      }),
      { numRuns: 300 },
    );
  });

  test('a time that is written otherwise is sent as CloudEvents has it', async () => {
    await createHttpEventSender({ url: `${url}/events` })({ id: '1', source: '/x', type: 't', time: '2026-01-31' });
    expect(app.events).toMatchObject([{ time: new Date('2026-01-31T00:00:00Z') }]);
  });
});

describe('malformed input is never a failure of the server', () => {
  const logger = { error: vi.fn() };
  const handler = createHttpHandler(recordingApp(), { logger });
  const members = fc.dictionary(
    fc.oneof(fc.constantFrom(...coreAttributes, 'data_base64', 'romancyinstance', '__proto__'), extensionName, fc.string()),
    fc.oneof(fc.jsonValue(), fc.constantFrom('1.0', '', 'application/json', '2026-02-30T00:00:00Z', '====', null)),
  );
  const contentType = fc.constantFrom(
    'application/cloudevents+json',
    'application/cloudevents-batch+json',
    'application/cloudevents+json; charset=utf-16',
    'application/cloudevents',
    'application/json',
    'text/plain; charset=utf-16le',
    'text/plain; charset=nonsense',
    'image/png',
    ';',
    '',
  );
  const body = fc.oneof(
    members.map((value) => JSON.stringify({ ...plainEvent, ...value })),
    fc.array(members).map((value) => JSON.stringify(value)),
    fc.json(),
    fc.string({ unit: 'binary' }),
    fc.uint8Array(),
  );
  const headerText = fc.string({ unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)) });
  const headers = fc.dictionary(
    fc.oneof(
      fc.constantFrom('ce-id', 'ce-source', 'ce-type', 'ce-specversion', 'ce-time', 'ce-data', 'ce-datacontenttype'),
      fc.stringMatching(/^ce-[a-z0-9_-]{0,8}$/),
    ),
    fc.oneof(headerText, fc.constantFrom('1.0', '%', '%f', '%C0%A0', '%ED%A0%80', '"a\\"', '%00')),
  );

  test('neither in bodies nor in headers', async () => {
    await fc.assert(
      fc.asyncProperty(contentType, body, headers, fc.boolean(), async (type, content, more, isWhole) => {
        const whole = isWhole ? { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/x', 'ce-type': 't' } : {};
        const answer = await handler(post('/events', content, { ...whole, ...more, 'content-type': type }));
        expect([202, 400, 413, 415]).toContain(answer.status);
        if (answer.status !== 202) expect(await answer.json()).toMatchObject({ retryable: false });
      }),
      { numRuns: 2000 },
    );
    expect(logger.error).not.toHaveBeenCalled();
  });

  test('nor in paths', async () => {
    await fc.assert(
      fc.asyncProperty(fc.webPath(), fc.constantFrom('GET', 'POST', 'OPTIONS'), async (path, method) => {
        const answer = await handler(new Request(`http://test/instances${path}/events`, { method }));
        expect([400, 404, 405, 415]).toContain(answer.status);
      }),
    );
    expect(logger.error).not.toHaveBeenCalled();
  });

  test('nor by depth', async () => {
    for (const deep of ['['.repeat(500_000), `${'['.repeat(250_000)}${']'.repeat(250_000)}`, '{"a":'.repeat(100_000)]) {
      const request = post('/events', deep, { 'content-type': 'application/cloudevents-batch+json' });
      expect((await handler(request)).status).toBe(400);
    }
  });
});

test('what can be no CloudEvent is refused before it is sent, for good', async () => {
  const fetch = vi.fn();
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom<Partial<OutgoingEvent>>(
        { id: '' },
        { source: 'a\nb' },
        { type: '\ud800' },
        { type: 1 as never },
        { subject: '' },
        { time: 'yesterday' },
        { time: new Date(Number.NaN) },
        { time: new Date(8.64e15) },
        { time: 1_700_000_000_000 as never },
        { datacontenttype: 'json' },
        { datacontenttype: 'text/plain; charset=ü' },
        { datacontenttype: 'text/plain; charset=latin1', data: 'x' },
        { datacontenttype: 'text/plain', data: {} },
        { data: 1n },
        { data: () => 1 },
        { extensions: { Upper: 1 } },
        { extensions: { id: 'x' } },
        { extensions: { data: 'x' } },
        { extensions: { a: '\u0000' } },
        { extensions: { a: {} as never } },
      ),
      fc.constantFrom('structured' as const, 'binary' as const),
      async (wrong, mode) => {
        const send = createHttpEventSender({ url: 'http://nowhere.invalid', mode, fetch });
        const error = await send({ id: '1', source: '/x', type: 't', ...wrong }).catch((thrown: unknown) => thrown);
        expect(error).toBeInstanceOf(EventSendError);
        expect(error).toMatchObject({ retryable: false, status: undefined });
      },
    ),
    { numRuns: 200 },
  );
  expect(fetch).not.toHaveBeenCalled();
});

function withoutNegativeZero<T>(value: T): T {
  if (value === 0) return 0 as T;
  if (typeof value !== 'object' || value === null || value instanceof Date || value instanceof Uint8Array) return value;
  if (Array.isArray(value)) return value.map(withoutNegativeZero) as T;
  const copy: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value)) {
    Object.defineProperty(copy, name, {
      value: withoutNegativeZero(member),
      enumerable: true,
      writable: true,
      configurable: true,
    });
  }
  return copy as T;
}
