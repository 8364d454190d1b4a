// The sender: what it rejects with, and how long it takes to.
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { ConfigurationError } from '@romancy/core';
import { afterwards } from '@romancy/test-support';
import { describe, expect, test, vi } from 'vitest';
import { createHttpEventSender, createHttpHandler, EventSendError, type HttpEventSenderOptions } from '../src/index.js';
import { deferred } from './deferred.js';
import { recordingApp } from './recording-app.js';
import { serve } from './serve.js';
import { warnings } from './warnings.js';

const event = { id: 'e-1', source: '/tests', type: 'thing.happened', data: { a: 1 } };

async function failureOf(sending: Promise<void>): Promise<EventSendError> {
  const error: unknown = await sending.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(EventSendError);
  return error as EventSendError;
}

describe('answers', () => {
  test.each([200, 201, 202, 204])('%i is success', async (status) => {
    const url = await serve(() => new Response(status === 204 ? null : 'fine', { status }));
    await createHttpEventSender({ url })(event);
  });

  test.each([408, 425, 429, 500, 502, 503, 504, 599])('%i can be tried again', async (status) => {
    const url = await serve(() => new Response('try later', { status, headers: { 'retry-after': '7' } }));
    const error = await failureOf(createHttpEventSender({ url })(event));
    expect(error).toMatchObject({ retryable: true, status, retryAfterMs: 7000, code: 'EVENT_SEND_FAILED' });
    expect(error.message).toBe(`the receiver answered ${status}: try later`);
  });

  test.each([400, 401, 403, 404, 405, 409, 410, 413, 415, 422, 451])('%i is for good', async (status) => {
    const url = await serve(() => new Response(null, { status }));
    expect(await failureOf(createHttpEventSender({ url })(event))).toMatchObject({
      retryable: false,
      status,
      retryAfterMs: undefined,
    });
  });

  test.each([301, 302, 303, 307, 308])('%i is not followed', async (status) => {
    const elsewhere = vi.fn(() => new Response(null, { status: 202 }));
    const other = await serve(elsewhere);
    const url = await serve(() => new Response(null, { status, headers: { location: other } }));
    expect(await failureOf(createHttpEventSender({ url })(event))).toMatchObject({ retryable: true, status });
    expect(elsewhere).not.toHaveBeenCalled();
  });

  test('of the handler are understood', async () => {
    const app = recordingApp();
    const url = await serve(createHttpHandler(app, { maxBodyBytes: 200 }));
    await createHttpEventSender({ url: `${url}/events` })(event);
    expect(app.events).toMatchObject([event]);
    const large = { ...event, data: 'x'.repeat(300) };
    expect(await failureOf(createHttpEventSender({ url: `${url}/events` })(large))).toMatchObject({
      retryable: false,
      status: 413,
    });
  });

  test('are read as far as the message needs them', async () => {
    let cancelled = false;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(500).fill(0x61)),
      cancel: () => void (cancelled = true),
    });
    const fetch = async (): Promise<Response> => new Response(endless, { status: 500 });
    const error = await failureOf(createHttpEventSender({ url: 'http://x.invalid', fetch })(event));
    expect(error.message).toBe(`the receiver answered 500: ${'a'.repeat(1024)}`);
    expect(cancelled).toBe(true);
  });
});

describe('no answer', () => {
  test('a connection that is refused, or cut, can be tried again', async () => {
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    expect(await failureOf(createHttpEventSender({ url })(event))).toMatchObject({ retryable: true, status: undefined });
    await new Promise((resolve) => server.close(resolve));
    const error = await failureOf(createHttpEventSender({ url })(event));
    expect(error).toMatchObject({ retryable: true, status: undefined });
    expect(error.message).toContain('ECONNREFUSED');
  });

  test('within the timeout can be tried again', async () => {
    const gone = vi.fn();
    const url = await serve((request) => {
      request.signal.addEventListener('abort', gone);
      return new Promise<Response>(() => undefined);
    });
    const error = await failureOf(createHttpEventSender({ url, timeout: 100 })(event));
    expect(error).toMatchObject({ retryable: true, message: 'there was no answer within 100 ms' });
    await vi.waitFor(() => expect(gone).toHaveBeenCalledOnce());
  });

  test('also where nobody listens to the signal', async () => {
    const never = (): Promise<never> => new Promise(() => undefined);
    for (const options of [{ fetch: never }, { headers: never }, { url: never }] satisfies Partial<HttpEventSenderOptions>[]) {
      const send = createHttpEventSender({ url: 'http://x.invalid', timeout: 20, ...options });
      expect(await failureOf(send(event))).toMatchObject({ retryable: true });
    }
  });

  test('an answer that stops in its body is an answer', async () => {
    const stuck = new ReadableStream<Uint8Array>({ start: (controller) => controller.enqueue(new Uint8Array([0x61])) });
    const fetch = async (): Promise<Response> => new Response(stuck, { status: 400 });
    // Its status is known, but not within the time: whoever asks again gets it.
    expect(await failureOf(createHttpEventSender({ url: 'http://x.invalid', fetch, timeout: 50 })(event))).toMatchObject({
      retryable: true,
    });
  });
});

describe('the signal', () => {
  test('ends an attempt with its reason', async () => {
    const stop = new AbortController();
    const arrived = deferred<void>();
    const url = await serve(() => {
      arrived.resolve();
      return new Promise<Response>(() => undefined);
    });
    const sending = createHttpEventSender({ url })(event, { signal: stop.signal });
    await arrived.promise;
    const reason = new Error('stopping');
    stop.abort(reason);
    await expect(sending).rejects.toBe(reason);
  });

  test('that is aborted already sends nothing', async () => {
    const fetch = vi.fn();
    const reason = new Error('stopped');
    const send = createHttpEventSender({ url: 'http://x.invalid', fetch });
    await expect(send(event, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(fetch).not.toHaveBeenCalled();
  });

  test('keeps nothing of attempts that are over, and needs one listener for all', async () => {
    const stop = new AbortController();
    const added = vi.spyOn(stop.signal, 'addEventListener');
    const attempts: AbortSignal[] = [];
    const fetch = async (_url: unknown, init?: RequestInit): Promise<Response> => {
      attempts.push(init!.signal!);
      return new Response(null, { status: 202 });
    };
    const send = createHttpEventSender({ url: 'http://x.invalid', fetch });
    await Promise.all(Array.from({ length: 20 }, () => send(event, { signal: stop.signal })));
    expect(added).toHaveBeenCalledOnce();
    stop.abort();
    expect(attempts.map(({ aborted }) => aborted)).toEqual(Array<boolean>(20).fill(false));
  });
});

describe('where to, and with what', () => {
  test('functions are asked for each attempt', async () => {
    const seen: string[] = [];
    const base = await serve((request) => {
      seen.push(`${new URL(request.url).pathname} ${request.headers.get('authorization')} ${request.headers.get('ce-id')}`);
      return new Response(null, { status: 202 });
    });
    let count = 0;
    const send = createHttpEventSender({
      url: async ({ type }) => `${base}/${type}`,
      headers: () => ({ authorization: `token ${++count}`, 'ce-id': 'another' }),
      mode: 'binary',
    });
    await send(event);
    await send({ ...event, id: 'e-2' });
    expect(seen).toEqual(['/thing.happened token 1 e-1', '/thing.happened token 2 e-2']);
  });

  test('what they throw can pass, what they give wrongly cannot', async () => {
    const broken = (): never => {
      throw new Error('no token');
    };
    expect(await failureOf(createHttpEventSender({ url: broken })(event))).toMatchObject({ retryable: true });
    const error = await failureOf(createHttpEventSender({ url: 'http://x.invalid', headers: broken })(event));
    expect(error).toMatchObject({ retryable: true, message: 'the option headers failed: no token' });
    expect(await failureOf(createHttpEventSender({ url: () => 'ftp://x' })(event))).toMatchObject({ retryable: false });
  });

  test.each([
    ['url', 'nowhere'],
    ['url', 'ftp://x.example'],
    ['url', 'http://user:secret@x.example'],
    ['url', undefined],
    ['mode', 'batched'],
    ['headers', { 'a b': 'c' }],
    ['headers', { a: 'b\n' + 'c' }],
    ['timeout', -1],
    ['timeout', 'soon'],
    ['fetch', 'fetch'],
    ['uri', 'http://x.example'],
  ])('%s: %j is refused at once', (option, value) => {
    const options = { url: 'http://x.example', [option]: value } as unknown as HttpEventSenderOptions;
    expect(() => createHttpEventSender(options)).toThrow(expect.objectContaining({ constructor: ConfigurationError, option }));
    try {
      createHttpEventSender(options);
    } catch (error) {
      expect((error as Error).message).not.toContain('secret');
    }
  });
});

test('many at a time can share a signal, and nobody is warned of a leak', async () => {
  const warned = warnings();
  const stop = new AbortController();
  afterwards(() => stop.abort());
  const app = recordingApp();
  const url = await serve(createHttpHandler(app));
  const send = createHttpEventSender({ url: `${url}/events`, mode: 'binary' });
  await Promise.all(Array.from({ length: 200 }, (_, index) => send({ ...event, id: `e-${index}` }, { signal: stop.signal })));
  expect(new Set(app.events.map(({ id }) => id)).size).toBe(200);
  expect(warned).toEqual([]);
});
