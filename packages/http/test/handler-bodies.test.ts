// How much of a body is read, and which bodies are refused.
import { describe, expect, test, vi } from 'vitest';
import { createHttpHandler } from '../src/index.js';
import { failure } from './failure-body.js';
import { recordingApp } from './recording-app.js';
import { binary, plainEvent, post, streamed, structured } from './requests.js';

describe('bodies', () => {
  const size = 4096;
  const limit = 10 * size;

  test('are never read further than the limit', async () => {
    const endless = streamed(
      (function* () {
        for (;;) yield new Uint8Array(size).fill(0x20);
      })(),
    );
    const handler = createHttpHandler(recordingApp(), { maxBodyBytes: limit });
    const answer = await handler(post('/events', endless.body, { 'content-type': 'application/cloudevents+json' }));
    expect([answer.status, await answer.json()]).toEqual([413, failure('PAYLOAD_TOO_LARGE')]);
    expect(endless.taken()).toBe(11);
  });

  test('at the limit are taken, one byte above it they are not', async () => {
    const handler = createHttpHandler(recordingApp(), { maxBodyBytes: 100 });
    expect((await handler(binary(new Uint8Array(100)))).status).toBe(202);
    expect((await handler(binary(new Uint8Array(101)))).status).toBe(413);
    const whole = createHttpHandler(recordingApp());
    expect((await whole(binary(new Uint8Array(1024 * 1024)))).status).toBe(202);
    expect((await whole(binary(new Uint8Array(1024 * 1024 + 1)))).status).toBe(413);
  });

  test('a Content-Length refuses early, and is not believed otherwise', async () => {
    const handler = createHttpHandler(recordingApp(), { maxBodyBytes: 100 });
    const { body, taken } = streamed([new Uint8Array(10)]);
    expect((await handler(binary(body, { 'content-length': '101' }))).status).toBe(413);
    expect(taken()).toBe(0);
    const longer = streamed([new Uint8Array(60), new Uint8Array(60)]);
    expect((await handler(binary(longer.body, { 'content-length': '10' }))).status).toBe(413);
  });

  test('in no format that is understood are not read at all', async () => {
    const { body, taken } = streamed([new Uint8Array(10)]);
    const answer = await createHttpHandler(recordingApp())(post('/events', body, { 'content-type': 'application/json' }));
    expect([answer.status, await answer.json()]).toEqual([415, failure('UNSUPPORTED_MEDIA_TYPE')]);
    expect(taken()).toBe(0);
  });

  test('that break off deliver nothing', async () => {
    const app = recordingApp();
    const text = new TextEncoder().encode(JSON.stringify(plainEvent));
    const broken = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(text);
      },
      pull(controller) {
        controller.error(new Error('reset'));
      },
    });
    const answer = await createHttpHandler(app)(post('/events', broken, { 'content-type': 'application/cloudevents+json' }));
    expect(answer.status).toBe(400);
    expect(app.events).toEqual([]);
  });

  test('that do not come are given up, and held no longer', async () => {
    const app = recordingApp();
    const handler = createHttpHandler(app, { timeout: 20, maxBodyBytes: 1000, maxPendingBytes: 8192 });
    for (let count = 0; count < 3; count++) {
      const cancelled = vi.fn();
      const slow = new ReadableStream<Uint8Array>({
        start: (controller) => controller.enqueue(new TextEncoder().encode(JSON.stringify(plainEvent))),
        cancel: cancelled,
      });
      const answer = await handler(post('/events', slow, { 'content-type': 'application/cloudevents+json' }));
      expect([answer.status, await answer.json()]).toEqual([408, failure('REQUEST_TIMEOUT', true)]);
      expect(cancelled).toHaveBeenCalledOnce();
    }
    expect(app.events).toEqual([]);
    expect((await handler(structured())).status).toBe(202);
  });

  test('that somebody has read are a defect', async () => {
    const logger = { error: vi.fn() };
    const request = structured();
    await request.text();
    expect((await createHttpHandler(recordingApp(), { logger })(request)).status).toBe(500);
    expect(logger.error).toHaveBeenCalledOnce();
  });

  test('that are compressed are refused', async () => {
    const app = recordingApp();
    expect((await createHttpHandler(app)(binary(new Uint8Array(3), { 'content-encoding': 'gzip' }))).status).toBe(415);
    expect((await createHttpHandler(app)(binary(new Uint8Array(3), { 'content-encoding': 'identity' }))).status).toBe(202);
  });
});
