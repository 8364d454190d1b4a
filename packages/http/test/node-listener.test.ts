// The listener for Node: streaming, limits, aborts, odd requests, over real connections.
import { createServer as createHttp2Server, connect as connectHttp2 } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { request as httpRequest } from 'node:http';
import { ConfigurationError } from '@romancy/core';
import { afterwards } from '@romancy/test-support';
import { describe, expect, test, vi } from 'vitest';
import { createHttpHandler } from '../src/index.js';
import { toNodeListener } from '../src/node/index.js';
import { deferred } from './deferred.js';
import { recordingApp } from './recording-app.js';
import { plainEvent } from './requests.js';
import { serve, serveListener } from './serve.js';
import { warnings } from './warnings.js';

const json = { 'content-type': 'application/cloudevents+json' };

/** Sends these bytes as they are, and gives all that comes back until the connection ends or `until` is in it. */
async function raw(url: string, text: string, until: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  afterwards(() => void socket.destroy());
  let answer = '';
  return await new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('close', () => resolve(answer));
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      answer += chunk;
      if (answer.includes(until)) resolve(answer);
    });
    socket.write(text, 'latin1');
  });
}

describe('requests', () => {
  test('come with method, address, headers and body', async () => {
    const url = await serve(async (request) => {
      const { method, headers } = request;
      const body = await request.text();
      return Response.json({ method, url: request.url, twice: headers.get('x-twice'), body });
    });
    const answer = await raw(
      url,
      'PUT /a%20b?c=d HTTP/1.1\r\nHost: shop.example:81\r\nX-Twice: 1\r\nX-Twice: 2\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc',
      '}',
    );
    expect(answer).toContain('"method":"PUT","url":"http://shop.example:81/a%20b?c=d","twice":"1, 2","body":"abc"');
  });

  test.each([
    ['a host that is none', 'GET /x HTTP/1.1\r\nHost: a/b?c\r\n', 'http://localhost/x'],
    ['a path that looks like a host', 'GET //evil.example/x HTTP/1.1\r\nHost: a\r\n', 'http://a//evil.example/x'],
    ['a whole address', 'GET http://b.example/x?y HTTP/1.1\r\nHost: a\r\n', 'http://a/x?y'],
    ['an asterisk', 'OPTIONS * HTTP/1.1\r\nHost: a\r\n', 'http://a/'],
  ])('%s', async (_, head, expected) => {
    const url = await serve((request) => new Response(`<${request.url}>`));
    expect(await raw(url, `${head}Connection: close\r\n\r\n`, '>')).toContain(`<${expected}>`);
  });

  test('that the web platform forbids are 400', async () => {
    const handler = vi.fn(() => new Response());
    const url = await serve(handler);
    expect(await raw(url, 'TRACE / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', '}')).toMatch(/^HTTP\/1.1 400 /);
    expect(handler).not.toHaveBeenCalled();
  });

  test('raw UTF-8 in a header is read as what it is', async () => {
    const app = recordingApp();
    const url = await serve(createHttpHandler(app));
    const subject = Buffer.from('grüße €', 'utf8').toString('latin1');
    const head = `POST /events HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 0\r\nce-specversion: 1.0\r\nce-id: 1\r\nce-source: /x\r\nce-type: t\r\nce-subject: ${subject}\r\n\r\n`;
    expect(await raw(url, head, '}')).toMatch(/^HTTP\/1.1 202 /);
    expect(app.events).toMatchObject([{ subject: 'grüße €' }]);
  });
});

describe('bodies', () => {
  test('arrive in parts, as they come', async () => {
    const parts: string[] = [];
    const heard = vi.fn();
    const url = await serve(async (request) => {
      const decoder = new TextDecoder();
      for await (const chunk of request.body as unknown as AsyncIterable<Uint8Array>) {
        parts.push(decoder.decode(chunk));
        heard(parts.length);
      }
      return new Response(null, { status: 204 });
    });
    const { hostname, port } = new URL(url);
    const sent = httpRequest({ hostname, port, method: 'POST' });
    const answered = new Promise<number>((resolve) => sent.on('response', (answer) => resolve(answer.statusCode!)));
    for (const part of ['one', 'two', 'three']) {
      sent.write(part);
      await vi.waitFor(() => expect(heard).toHaveBeenLastCalledWith(['one', 'two', 'three'].indexOf(part) + 1));
    }
    sent.end();
    expect([await answered, parts]).toEqual([204, ['one', 'two', 'three']]);
  });

  test.each([
    ['nobody reads', 0],
    ['somebody reads the beginning of', 1],
  ])('that %s hold the sender up, and are not kept', async (_, parts) => {
    const answer = deferred<Response>();
    const url = await serve(async (request) => {
      const reader = request.body!.getReader();
      for (let part = 0; part < parts; part++) await reader.read();
      return await answer.promise;
    });
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    afterwards(() => void socket.destroy());
    const most = 64 * 1024 * 1024;
    socket.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${most}\r\n\r\n`);
    const chunk = Buffer.alloc(64 * 1024);
    // Until the buffers of both sides of the connection are full, and stay so from one look to the next.
    let last = -1;
    await vi.waitFor(
      () => {
        while (socket.writableLength < 1024 * 1024 && socket.bytesWritten < most) socket.write(chunk);
        const sent = socket.bytesWritten - socket.writableLength;
        const isStuck = sent === last && socket.writableLength > 0;
        last = sent;
        expect(isStuck).toBe(true);
      },
      { timeout: 5000, interval: 50 },
    );
    expect(last).toBeLessThan(most / 2);
    let head = '';
    socket.on('data', (data) => (head += data.toString('latin1')));
    answer.resolve(new Response('no', { status: 413 }));
    await vi.waitFor(() => expect(head).toContain('HTTP/1.1 413'), { timeout: 5000 });
  });

  test('that are refused early leave the connection usable', async () => {
    const url = await serve(createHttpHandler(recordingApp(), { maxBodyBytes: 1000 }));
    const body = 'x'.repeat(100_000);
    const first = `POST /events HTTP/1.1\r\nHost: a\r\nContent-Type: application/cloudevents+json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const answer = await raw(url, `${first}GET /live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`, '"live":true');
    expect(answer).toMatch(/^HTTP\/1.1 413 [\s\S]*HTTP\/1.1 200 /);
  });

  test('without end are cut off in the end', async () => {
    const url = await serve(createHttpHandler(recordingApp(), { authenticate: () => false }));
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    afterwards(() => void socket.destroy());
    const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
    socket.on('error', () => undefined);
    socket.write('POST /events HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
    const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
    const pump = (): void => {
      while (!socket.destroyed && socket.write(chunk));
    };
    socket.on('drain', pump);
    socket.resume();
    pump();
    await closed;
    expect(socket.bytesWritten).toBeGreaterThan(16 * 1024 * 1024);
  });

  test('that break off deliver nothing', async () => {
    const app = recordingApp();
    const handler = createHttpHandler(app);
    const answered = deferred<number>();
    const url = await serve(async (request) => {
      const answer = await handler(request);
      answered.resolve(answer.status);
      return answer;
    });
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    const body = JSON.stringify(plainEvent);
    // One byte, a space that nobody would miss, is missing.
    socket.write(
      `POST /events HTTP/1.1\r\nHost: a\r\nContent-Type: application/cloudevents+json\r\nContent-Length: ${body.length + 1}\r\n\r\n${body}`,
      () => socket.destroy(),
    );
    expect(await answered.promise).toBe(400);
    expect(app.events).toEqual([]);
  });

  test('that somebody has read already are 500', async () => {
    const app = recordingApp();
    const logger = { error: vi.fn() };
    const listener = toNodeListener(createHttpHandler(app), { logger });
    const url = await serveListener((req, res) => void req.resume().once('end', () => listener(req, res)));
    const answer = await fetch(`${url}/events`, { method: 'POST', headers: json, body: JSON.stringify(plainEvent) });
    expect([answer.status, app.events]).toEqual([500, []]);
    const error = expect.objectContaining({ message: expect.stringContaining('mount the handler before') });
    expect(logger.error.mock.calls).toEqual([[expect.any(String), { error }]]);
  });
});

describe('answers', () => {
  test('keep their cookies apart, and their parts in order', async () => {
    const warned = warnings();
    const url = await serve(() => {
      const headers = new Headers([
        ['set-cookie', 'a=1'],
        ['set-cookie', 'b=2'],
      ]);
      const parts = ['one ', 'two ', ...Array<string>(30).fill('x'.repeat(100_000))];
      const body = new ReadableStream({
        pull(controller) {
          const part = parts.shift();
          if (part === undefined) controller.close();
          else controller.enqueue(new TextEncoder().encode(part));
        },
      });
      return new Response(body, { headers, status: 201 });
    });
    const answer = await fetch(url);
    expect([answer.status, answer.headers.getSetCookie()]).toEqual([201, ['a=1', 'b=2']]);
    expect(await answer.text()).toBe(`one two ${'x'.repeat(3_000_000)}`);
    // Each part is waited for, and leaves no listener behind.
    expect(warned).toEqual([]);
  });

  test('to HEAD have no body: its source is given up unread', async () => {
    const read = vi.fn();
    const cancelled = deferred<void>();
    const source = { pull: read, cancel: () => cancelled.resolve() };
    const url = await serve(() => new Response(new ReadableStream(source, { highWaterMark: 0 }), { status: 203 }));
    expect((await fetch(url, { method: 'HEAD' })).status).toBe(203);
    await cancelled.promise;
    expect(read).not.toHaveBeenCalled();
  });

  test.each([
    ['rejects', () => Promise.reject(new Error('secret'))],
    [
      'throws',
      () => {
        throw new Error('secret');
      },
    ],
    ['gives nothing', () => undefined as never],
  ])('a handler that %s is 500', async (_, handler) => {
    const logger = { error: vi.fn() };
    const url = await serveListener(toNodeListener(handler, { logger }));
    const answer = await fetch(url);
    expect([answer.status, await answer.json()]).toEqual([
      500,
      { error: 'internal error', error_type: 'INTERNAL', retryable: true },
    ]);
    expect(logger.error.mock.calls).toEqual([[expect.any(String), { error: expect.any(Error) }]]);
  });

  test('whose source breaks are cut off, not completed', async () => {
    const logger = { error: vi.fn() };
    const url = await serve(() => {
      const body = new ReadableStream<Uint8Array>({
        start: (controller) => controller.enqueue(new Uint8Array(10)),
        pull: (controller) => controller.error(new Error('broken')),
      });
      return new Response(body);
    }, logger);
    await expect(fetch(url).then((answer) => answer.text())).rejects.toThrow();
    expect(logger.error.mock.calls).toEqual([[expect.any(String), { error: new Error('broken') }]]);
  });

  test('that nobody waits for any more are stopped at their source', async () => {
    const cancelled = deferred<void>();
    const aborted = deferred<void>();
    const url = await serve((request) => {
      request.signal.addEventListener('abort', () => aborted.resolve());
      const body = new ReadableStream<Uint8Array>({
        pull: (controller) => controller.enqueue(new Uint8Array(100_000)),
        cancel: () => cancelled.resolve(),
      });
      return new Response(body);
    });
    const stop = new AbortController();
    const answer = await fetch(url, { signal: stop.signal });
    await answer.body!.getReader().read();
    stop.abort();
    await Promise.all([cancelled.promise, aborted.promise]);
  });
});

test('what is no handler or no logger is refused at once', () => {
  expect(() => toNodeListener({ fetch: () => new Response() } as never)).toThrow(ConfigurationError);
  expect(() => toNodeListener(() => new Response(), { logger: {} as never })).toThrow(ConfigurationError);
});

test('HTTP/2 works too', async () => {
  const app = recordingApp();
  const listener = toNodeListener(createHttpHandler(app));
  const server = createHttp2Server((req, res) => listener(req as never, res as never));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const client = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  afterwards(() => {
    client.destroy();
    server.close();
  });
  const stream = client.request({ ':method': 'POST', ':path': '/events', ...json });
  const status = new Promise((resolve) => stream.on('response', (headers) => resolve(headers[':status'])));
  stream.end(JSON.stringify({ ...plainEvent, data: 'x'.repeat(100_000) }));
  expect(await status).toBe(202);
  expect(app.events).toMatchObject([{ id: 'e-1' }]);
});
