// Against the CloudEvents SDK: what it sends is received, and what is sent it receives.
import { CloudEvent, emitterFor, HTTP, httpTransport, Mode, type CloudEventV1 } from 'cloudevents';
import { describe, expect, test } from 'vitest';
import { createHttpEventSender, createHttpHandler, type OutgoingEvent } from '../src/index.js';
import { recordingApp } from './recording-app.js';
import { serve } from './serve.js';

const attributes = {
  id: 'e-1',
  source: 'https://shop.example/orders?x=1',
  type: 'order.paid',
  subject: 'order/42',
  time: '2026-01-31T12:00:00.123Z',
  trace: 'abc',
};
const received = {
  id: 'e-1',
  source: 'https://shop.example/orders?x=1',
  type: 'order.paid',
  subject: 'order/42',
  time: new Date('2026-01-31T12:00:00.123Z'),
};

describe('the SDK as sender', () => {
  const bytes = new Uint8Array([0, 1, 254, 255]);
  const samples: readonly (readonly [string, Partial<CloudEventV1<unknown>>, unknown, object])[] = [
    ['an object', { data: { a: ['ü', 1] } }, { a: ['ü', 1] }, {}],
    ['no data', {}, undefined, {}],
    ['a text', { data: 'grüße', datacontenttype: 'text/plain' }, 'grüße', { datacontenttype: 'text/plain' }],
    [
      'another JSON',
      { data: { a: 1 }, datacontenttype: 'application/x+json' },
      { a: 1 },
      { datacontenttype: 'application/x+json' },
    ],
    ['bytes', { data: bytes, datacontenttype: 'image/png' }, bytes, { datacontenttype: 'image/png' }],
    ['a schema', { data: {}, dataschema: 'https://x.example/s' }, {}, { dataschema: 'https://x.example/s' }],
  ];

  for (const mode of [Mode.STRUCTURED, Mode.BINARY]) {
    // Its transport cannot send a body that is not there in binary mode.
    const sendable = samples.filter(([, event]) => mode === Mode.STRUCTURED || event.data !== undefined);
    test.each(sendable)(`${mode}: %s`, async (_, event, data, more) => {
      const app = recordingApp();
      const url = await serve(createHttpHandler(app));
      const emit = emitterFor(httpTransport(`${url}/events`), { binding: HTTP, mode });
      const answer = (await emit(new CloudEvent({ ...attributes, ...event }) as CloudEvent)) as { readonly body: string };
      expect(JSON.parse(answer.body)).toEqual({ accepted: 1, duplicates: 0 });
      const extensions = { trace: 'abc', ...more };
      expect(app.events).toEqual([{ ...received, ...(data === undefined ? {} : { data }), extensions }]);
    });
  }

  test('batched', async () => {
    const app = recordingApp();
    const url = await serve(createHttpHandler(app));
    const events = [1, 2, 3].map((number) => new CloudEvent({ ...attributes, id: `e-${number}`, data: { number } }));
    const answer = await fetch(`${url}/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/cloudevents-batch+json' },
      body: JSON.stringify(events),
    });
    expect(answer.status).toBe(202);
    expect(app.events.map(({ id, data }) => [id, data])).toEqual([1, 2, 3].map((number) => [`e-${number}`, { number }]));
  });

  test('an event of version 0.3 is refused', async () => {
    const url = await serve(createHttpHandler(recordingApp()));
    const old = new CloudEvent({ id: '1', source: '/x', type: 't', specversion: '0.3', data: {} });
    for (const message of [HTTP.structured(old), HTTP.binary(old)]) {
      const headers = message.headers as Record<string, string>;
      const answer = await fetch(`${url}/events`, { method: 'POST', headers, body: message.body as string });
      expect(answer.status).toBe(400);
    }
  });
});

describe('the SDK as receiver', () => {
  const samples: readonly (readonly [string, Partial<OutgoingEvent>, unknown])[] = [
    ['an object', { data: { a: ['ü', 1] } }, { a: ['ü', 1] }],
    ['a text', { data: 'grüße', datacontenttype: 'text/plain' }, 'grüße'],
    ['no data', {}, undefined],
  ];

  for (const mode of ['structured', 'binary'] as const) {
    test.each(samples)(`${mode}: %s`, async (_, event, data) => {
      const sent = await caught(mode, { ...attributes, extensions: { trace: 'abc' }, ...event });
      // It shows the attributes as they are in the message.
      const read = HTTP.toEvent<unknown>(sent) as CloudEvent<unknown>;
      expect(read.validate()).toBe(true);
      const { id, source, type, subject, time } = read;
      expect({ id, source, type, subject, time: new Date(time!) }).toEqual(received);
      expect(read['trace']).toBe('abc');
      expect(read.data === '' ? undefined : read.data).toEqual(data);
    });
  }

  test('structured: bytes', async () => {
    const bytes = new Uint8Array([0, 1, 254, 255]);
    const sent = await caught('structured', { ...attributes, data: bytes, datacontenttype: 'image/png' });
    const read = HTTP.toEvent<Uint32Array>(sent) as CloudEvent<Uint32Array>;
    // It gives each byte four.
    expect(Array.from(read.data!)).toEqual([...bytes]);
  });
});

/** What the sender puts on the wire, as the SDK takes it. */
async function caught(
  mode: 'structured' | 'binary',
  event: OutgoingEvent & { readonly trace?: string },
): Promise<{ readonly headers: Record<string, string>; readonly body: string }> {
  let sent: { readonly headers: Record<string, string>; readonly body: string } | undefined;
  const url = await serve(async (request) => {
    sent = { headers: Object.fromEntries(request.headers), body: await request.text() };
    return new Response(null, { status: 204 });
  });
  await createHttpEventSender({ url, mode })(event);
  return sent!;
}
