// The handler on a real app: what is answered, and that what was accepted reaches its workflow.
import {
  type EventReceipt,
  ConfigurationError,
  InstanceConflictError,
  NotRunningError,
  PayloadTooLargeError,
  Romancy,
  silentLogger,
  StorageUnavailableError,
} from '@romancy/core';
import { createMemoryNotifierHub, createMemoryStorage } from '@romancy/core/testing';
import { afterwards, eventually } from '@romancy/test-support';
import { describe, expect, test, vi } from 'vitest';
import { createHttpHandler, type HttpHandlerOptions } from '../src/index.js';
import { collect, startCollectingApp } from './collecting-app.js';
import { recordingApp, runningStatus } from './recording-app.js';
import { batched, binary, plainEvent, post, streamed, structured } from './requests.js';

const failure = (error_type: string, retryable = false) => ({ error: expect.any(String), error_type, retryable });

describe('events', () => {
  test('reach the workflow that waits for their type', async () => {
    const { app } = await startCollectingApp();
    const handler = createHttpHandler(app);
    const run = await app.startWorkflow(collect, { type: 'thing.happened', count: 1 });
    // Whoever does not wait yet is no receiver of what is for all.
    await eventually(async () => (await run.status()) === 'waiting_for_event');
    const answer = await handler(
      structured({ subject: 's', time: '2026-01-31T12:00:00+01:00', data: { a: [1] }, trace: 't', n: 3, b: true }),
    );
    expect([answer.status, await answer.json()]).toEqual([202, { accepted: 1, duplicates: 0 }]);
    expect(await run.result()).toEqual([
      {
        id: 'e-1',
        source: '/tests',
        type: 'thing.happened',
        subject: 's',
        time: new Date('2026-01-31T11:00:00Z'),
        extensions: { trace: 't', n: 3, b: true },
        data: { a: [1] },
      },
    ]);
  });

  test('a duplicate is accepted, and says so', async () => {
    const { app } = await startCollectingApp();
    const handler = createHttpHandler(app);
    const run = await app.startWorkflow(collect, { type: 'thing.happened', count: 2 }, { instanceId: 'one' });
    for (const duplicates of [0, 1]) {
      const answer = await handler(structured({ romancyinstance: 'one' }));
      expect([answer.status, await answer.json()]).toEqual([202, { accepted: 1, duplicates }]);
    }
    await handler(structured({ romancyinstance: 'one', id: 'e-2' }));
    expect((await run.result()).map(({ id }) => id)).toEqual(['e-1', 'e-2']);
  });

  test.each([
    ['the extension attribute, structured', structured({ romancyinstance: 'größe 1' })],
    ['the extension attribute, binary', binary(null, { 'ce-romancyinstance': 'gr%C3%B6%C3%9fe%201' })],
    ['the route', structured({}, '/instances/gr%C3%B6%C3%9Fe%201/events')],
    ['both', structured({ romancyinstance: 'größe 1' }, '/instances/gr%C3%B6%C3%9Fe%201/events')],
  ])('one instance is addressed by %s', async (_, request) => {
    const { app } = await startCollectingApp();
    const run = await app.startWorkflow(collect, { type: 'thing.happened', count: 1 }, { instanceId: 'größe 1' });
    expect((await createHttpHandler(app)(request)).status).toBe(202);
    expect(await run.result()).toMatchObject([{ id: 'e-1', extensions: {} }]);
  });

  test('an attribute and a route that name two instances are refused', async () => {
    const app = recordingApp();
    const answer = await createHttpHandler(app)(structured({ romancyinstance: 'a' }, '/instances/b/events'));
    expect([answer.status, await answer.json()]).toEqual([400, failure('INVALID_EVENT')]);
    expect(app.events).toEqual([]);
  });

  test('an unknown instance is 404, one that has ended 409', async () => {
    const { app } = await startCollectingApp();
    const handler = createHttpHandler(app);
    await (await app.startWorkflow(collect, { type: 'x', count: 0 }, { instanceId: 'ended' })).result();
    const unknown = await handler(structured({}, '/instances/nobody/events'));
    expect([unknown.status, await unknown.json()]).toEqual([404, failure('INSTANCE_NOT_FOUND')]);
    const ended = await handler(structured({}, '/instances/ended/events'));
    expect([ended.status, await ended.json()]).toEqual([409, failure('INSTANCE_FINISHED')]);
  });

  test('the answer waits for the event to be durable', async () => {
    const { app, storage } = await startCollectingApp();
    let durable = false;
    storage.plan = {
      after: async ({ name }) => {
        if (name !== 'messages.deliver') return;
        await new Promise((resolve) => setImmediate(resolve));
        durable = true;
      },
    };
    const answer = await createHttpHandler(app)(structured());
    expect([answer.status, durable]).toEqual([202, true]);
  });

  test('an app takes ids, sources and types as long as the handler does', async () => {
    const { app } = await startCollectingApp();
    const handler = createHttpHandler(app);
    for (const name of ['id', 'source', 'type', 'romancyinstance']) {
      const longest = await handler(structured({ id: name, [name]: 'ä'.repeat(255) }));
      expect([name, longest.status]).toEqual([name, name === 'romancyinstance' ? 404 : 202]);
      const longer = await handler(structured({ [name]: 'ä'.repeat(256) }));
      expect([name, longer.status, await longer.json()]).toEqual([name, 400, failure('INVALID_EVENT')]);
    }
    const route = await handler(structured({}, `/instances/${'a'.repeat(256)}/events`));
    expect([route.status, await route.json()]).toEqual([400, failure('INVALID_REQUEST')]);
  });
});

describe('batches', () => {
  const events = [1, 2, 3].map((number) => ({ ...plainEvent, id: `e-${number}`, romancyinstance: 'one' }));

  test('each event is delivered, in order', async () => {
    const { app } = await startCollectingApp();
    const run = await app.startWorkflow(collect, { type: 'thing.happened', count: 3 }, { instanceId: 'one' });
    const answer = await createHttpHandler(app)(batched(events));
    expect([answer.status, await answer.json()]).toEqual([202, { accepted: 3, duplicates: 0 }]);
    expect((await run.result()).map(({ id }) => id)).toEqual(['e-1', 'e-2', 'e-3']);
  });

  test('may be empty', async () => {
    const answer = await createHttpHandler(recordingApp())(batched([]));
    expect([answer.status, await answer.json()]).toEqual([202, { accepted: 0, duplicates: 0 }]);
  });

  test('with one that is malformed, nothing is stored', async () => {
    const app = recordingApp();
    const answer = await createHttpHandler(app)(batched([...events, { ...plainEvent, id: '' }]));
    expect([answer.status, await answer.json()]).toEqual([400, { ...failure('INVALID_EVENT'), error: 'event 3: id is empty' }]);
    expect(app.events).toEqual([]);
  });

  test('with one that is refused for good, the others are stored', async () => {
    const { app } = await startCollectingApp();
    const run = await app.startWorkflow(collect, { type: 'thing.happened', count: 2 }, { instanceId: 'one' });
    const answer = await createHttpHandler(app)(
      batched([events[0], { ...plainEvent, romancyinstance: 'nobody', id: 'x' }, events[2]]),
    );
    expect([answer.status, await answer.json()]).toEqual([
      404,
      {
        ...failure('INSTANCE_NOT_FOUND'),
        accepted: 2,
        duplicates: 0,
        refused: [{ index: 1, error: expect.any(String), error_type: 'INSTANCE_NOT_FOUND' }],
      },
    ]);
    expect((await run.result()).map(({ id }) => id)).toEqual(['e-1', 'e-3']);
  });

  test('end at the first that cannot be stored now', async () => {
    const sendEvent = vi.fn().mockResolvedValueOnce({ eventId: 'e-1', duplicate: false, receivers: 0 });
    sendEvent.mockRejectedValue(new StorageUnavailableError('down'));
    const answer = await createHttpHandler(recordingApp({ sendEvent }))(batched(events));
    expect([answer.status, await answer.json()]).toEqual([503, failure('STORAGE_UNAVAILABLE', true)]);
    expect(sendEvent).toHaveBeenCalledTimes(2);
  });

  test('have a limit', async () => {
    const app = recordingApp();
    const handler = createHttpHandler(app, { maxBatchEvents: 2 });
    expect((await handler(batched(events.slice(1)))).status).toBe(202);
    const answer = await handler(batched(events));
    expect([answer.status, await answer.json()]).toEqual([413, failure('PAYLOAD_TOO_LARGE')]);
    expect(app.events).toHaveLength(2);
  });

  test.each([[{ ...plainEvent }], ['text'], [null]])('that are no list are refused: %j', async (body) => {
    const request = post('/events', JSON.stringify(body), { 'content-type': 'application/cloudevents-batch+json' });
    expect((await createHttpHandler(recordingApp())(request)).status).toBe(400);
  });
});

describe('cancellation', () => {
  test('is asked for, with a reason or without', async () => {
    const { app } = await startCollectingApp();
    const handler = createHttpHandler(app);
    for (const [id, reason] of [
      ['a', 'no longer wanted'],
      ['b', null],
    ] as const) {
      const run = await app.startWorkflow(collect, { type: 'x', count: 1 }, { instanceId: id });
      const body = reason === null ? null : JSON.stringify({ reason });
      const answer = await handler(post(`/instances/${id}/cancel`, body, { 'content-type': 'application/json' }));
      expect([answer.status, await answer.json()]).toEqual([202, { instance_id: id }]);
      await expect(run.result()).rejects.toMatchObject({ code: 'WORKFLOW_CANCELLED', reason });
      expect((await handler(post(`/instances/${id}/cancel`, null))).status).toBe(202);
    }
  });

  test('of what is unknown is 404, of what has ended 409', async () => {
    const { app } = await startCollectingApp();
    const handler = createHttpHandler(app);
    await (await app.startWorkflow(collect, { type: 'x', count: 0 }, { instanceId: 'ended' })).result();
    expect((await handler(post('/instances/nobody/cancel', null))).status).toBe(404);
    expect((await handler(post('/instances/ended/cancel', null))).status).toBe(409);
  });

  test.each([
    ['a list', '[]', 'application/json', 400],
    ['no JSON', '{', 'application/json', 400],
    ['no UTF-8', new Uint8Array([0x22, 0xff, 0x22]), 'application/json', 400],
    ['a reason that is no text', '{"reason":1}', 'application/json', 400],
    ['another member', '{"raeson":"x"}', 'application/json', 400],
    ['a reason that no database can hold', '{"reason":"\\u0000"}', 'application/json', 400],
    ['null', 'null', 'application/json', 400],
    ['a form', 'reason=x', 'application/x-www-form-urlencoded', 415],
  ])('with %s is refused', async (_, body, type, status) => {
    const { app } = await startCollectingApp();
    const run = await app.startWorkflow(collect, { type: 'x', count: 1 }, { instanceId: 'a' });
    const answer = await createHttpHandler(app)(post('/instances/a/cancel', body, { 'content-type': type }));
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({ retryable: false });
    expect(await run.status()).not.toBe('cancelled');
  });
});

describe('routes', () => {
  test.each(['/', '/event', '/events/', '/events/x', '/instances/a', '/instances//cancel', '/instances/a/b/cancel', '/live/x'])(
    '%s is none',
    async (path) => {
      const answer = await createHttpHandler(recordingApp())(post(path, null));
      expect([answer.status, await answer.json()]).toEqual([404, failure('ROUTE_NOT_FOUND')]);
    },
  );

  test.each([
    ['GET', '/events', 'POST'],
    ['PUT', '/events', 'POST'],
    ['OPTIONS', '/instances/a/events', 'POST'],
    ['DELETE', '/instances/a/cancel', 'POST'],
    ['POST', '/live', 'GET, HEAD'],
    ['POST', '/ready', 'GET, HEAD'],
  ])('%s %s is not allowed', async (method, path, allow) => {
    const answer = await createHttpHandler(recordingApp())(new Request(`http://test${path}`, { method }));
    expect([answer.status, answer.headers.get('allow'), await answer.json()]).toEqual([
      405,
      allow,
      failure('METHOD_NOT_ALLOWED'),
    ]);
  });

  test.each(['/romancy', '/romancy/', '/a/b'])('begin with the base path %s', async (basePath) => {
    const handler = createHttpHandler(recordingApp(), { basePath });
    const base = basePath.replace(/\/$/, '');
    expect((await handler(structured({}, `${base}/events?x=1`))).status).toBe(202);
    expect((await handler(structured({}, '/events'))).status).toBe(404);
    expect((await handler(structured({}, `${base}events`))).status).toBe(404);
  });

  test('the id of an instance must be percent-encoded UTF-8', async () => {
    expect((await createHttpHandler(recordingApp())(post('/instances/%ff/cancel', null))).status).toBe(400);
  });
});

describe('health', () => {
  const get = (path: string, method = 'GET') => new Request(`http://test${path}`, { method });

  test('a process that answers lives; it is ready when the app runs', async () => {
    const app = new Romancy({ storage: createMemoryStorage(), logger: silentLogger });
    const handler = createHttpHandler(app);
    expect((await handler(get('/live'))).status).toBe(200);
    const early = await handler(get('/ready'));
    expect([early.status, await early.json()]).toEqual([503, { ready: false, state: 'new', storage_available: true }]);
    await app.start();
    const running = await handler(get('/ready'));
    expect([running.status, await running.json()]).toEqual([200, { ready: true, state: 'running', storage_available: true }]);
    expect((await handler(get('/ready', 'HEAD'))).status).toBe(200);
    await app.stop();
    expect((await handler(get('/ready'))).status).toBe(503);
    expect((await handler(get('/live'))).status).toBe(200);
  });

  test('without its storage an app is not ready', async () => {
    const { app, storage } = await startCollectingApp();
    const handler = createHttpHandler(app);
    storage.setDown(true);
    const waiting = app.cancel('nobody').catch(() => undefined);
    const answer = await eventually(async () => {
      const ready = await handler(get('/ready'));
      return ready.status === 503 ? ready : undefined;
    });
    expect(await answer.json()).toEqual({ ready: false, state: 'running', storage_available: false });
    storage.setDown(false);
    await waiting;
    await eventually(async () => (await handler(get('/ready'))).status === 200);
  });

  test('a notifier that is down is told of, and no more', async () => {
    const notifier = createMemoryNotifierHub().createNotifier();
    const app = new Romancy({ storage: createMemoryStorage(), notifier, logger: silentLogger });
    await app.start();
    afterwards(() => app.stop());
    const handler = createHttpHandler(app);
    await eventually(() => app.status().notifier?.state === 'healthy');
    expect(await (await handler(get('/ready'))).json()).toMatchObject({ ready: true, notifier: { state: 'healthy' } });
    notifier.disconnect();
    const answer = await handler(get('/ready'));
    expect([answer.status, await answer.json()]).toMatchObject([200, { ready: true, notifier: { state: 'connecting' } }]);
  });
});

describe('authentication', () => {
  const hooks: readonly (readonly [string, NonNullable<HttpHandlerOptions['authenticate']>, number])[] = [
    ['true', () => true, 202],
    ['a promise of true', async () => true, 202],
    ['false', () => false, 401],
    ['a promise of false', async () => false, 401],
    ['a Response', () => new Response('go away', { status: 403 }), 403],
  ];
  test.each(hooks)('%s', async (_, authenticate, status) => {
    const app = recordingApp();
    expect((await createHttpHandler(app, { authenticate })(structured())).status).toBe(status);
    expect(app.events).toHaveLength(status === 202 ? 1 : 0);
  });

  test.each([
    ['nothing', () => undefined],
    ['something else', () => 'yes'],
    ['null', () => null],
    [
      'an error',
      () => {
        throw new Error('the secret is 42');
      },
    ],
  ])('a hook that gives %s lets nobody in', async (_, authenticate) => {
    const app = recordingApp();
    const logger = { error: vi.fn() };
    const options = { authenticate, logger } as unknown as HttpHandlerOptions;
    const answer = await createHttpHandler(app, options)(structured());
    expect(answer.status).toBe(500);
    expect(await answer.text()).not.toContain('42');
    expect(logger.error).toHaveBeenCalledOnce();
    expect(app.events).toEqual([]);
  });

  test('comes before anything is read, and before the route is known', async () => {
    const { body, taken } = streamed([new TextEncoder().encode(JSON.stringify(plainEvent))]);
    const handler = createHttpHandler(recordingApp(), { authenticate: () => false });
    const answer = await handler(post('/events', body, { 'content-type': 'application/cloudevents+json' }));
    expect([answer.status, answer.headers.get('www-authenticate'), await answer.json()]).toEqual([
      401,
      'Bearer',
      failure('UNAUTHORIZED'),
    ]);
    expect(taken()).toBe(0);
    expect((await handler(post('/nowhere', null))).status).toBe(401);
  });

  test('sees the headers', async () => {
    const handler = createHttpHandler(recordingApp(), {
      authenticate: (request) => request.headers.get('authorization') === 'Bearer t',
    });
    expect((await handler(structured())).status).toBe(401);
    const request = structured();
    request.headers.set('authorization', 'Bearer t');
    expect((await handler(request)).status).toBe(202);
  });

  test('health is exempt, unless told otherwise', async () => {
    for (const path of ['/live', '/ready']) {
      const request = (): Request => new Request(`http://test${path}`);
      expect((await createHttpHandler(recordingApp(), { authenticate: () => false })(request())).status).toBe(200);
      const strict = createHttpHandler(recordingApp(), { authenticate: () => false, authenticateHealth: true });
      expect((await strict(request())).status).toBe(401);
    }
  });
});

describe('trouble', () => {
  test.each([
    ['the storage is unavailable', new StorageUnavailableError('host db-7 is down'), 503, 'STORAGE_UNAVAILABLE'],
    ['the app does not run', new NotRunningError('stopped'), 503, 'NOT_RUNNING'],
    ['a conflict', new InstanceConflictError({ instanceId: 'a' }), 409, 'INSTANCE_CONFLICT'],
    ['too large for the app', new PayloadTooLargeError({ what: 'event', bytes: 3, limit: 2 }), 413, 'PAYLOAD_TOO_LARGE'],
    ['a defect', new TypeError('cannot read password of db-7'), 500, 'INTERNAL'],
    ['something thrown that is no error', 'db-7', 500, 'INTERNAL'],
  ])('%s', async (_, error, status, type) => {
    const logger = { error: vi.fn() };
    const sendEvent = vi.fn().mockRejectedValue(error);
    const answer = await createHttpHandler(recordingApp({ sendEvent }), { logger })(structured());
    expect(answer.status).toBe(status);
    expect(answer.headers.get('retry-after')).toBe(status === 503 ? '5' : null);
    const body = await answer.text();
    expect(JSON.parse(body)).toEqual(failure(type, status >= 500));
    expect(body).not.toContain('db-7');
    expect(logger.error.mock.calls).toEqual(
      status === 500 ? [[expect.any(String), { method: 'POST', path: '/events', error }]] : [],
    );
  });

  test('a logger that throws changes nothing', async () => {
    const logger = {
      error: () => {
        throw new Error('full');
      },
    };
    const app = recordingApp({ sendEvent: () => Promise.reject(new Error('x')) });
    expect((await createHttpHandler(app, { logger })(structured())).status).toBe(500);
  });

  test('a real app that was never started, or was stopped, is 503', async () => {
    const app = new Romancy({ storage: createMemoryStorage(), logger: silentLogger });
    const handler = createHttpHandler(app);
    expect([(await handler(structured())).status, (await handler(post('/instances/a/cancel', null))).status]).toEqual([503, 503]);
    await app.start();
    await app.stop();
    const answer = await handler(structured());
    expect([answer.status, await answer.json()]).toEqual([503, failure('NOT_RUNNING', true)]);
  });

  test('a storage that does not answer in time is 503; what came in is stored later', async () => {
    const { app, storage } = await startCollectingApp();
    const run = await app.startWorkflow(collect, { type: 'thing.happened', count: 1 }, { instanceId: 'one' });
    const handler = createHttpHandler(app, { timeout: 30 });
    storage.setDown(true);
    const answer = await handler(structured({ romancyinstance: 'one' }));
    expect([answer.status, await answer.json()]).toEqual([503, failure('STORAGE_UNAVAILABLE', true)]);
    expect(answer.headers.get('retry-after')).toBe('5');
    storage.setDown(false);
    expect(await run.result()).toMatchObject([{ id: 'e-1' }]);
    const again = await eventually(async () => {
      const repeated = await handler(structured({ romancyinstance: 'other', id: 'x' }));
      return repeated.status === 503 ? undefined : repeated;
    });
    expect(again.status).toBe(404);
  });

  test('of a batch nothing further is begun once its sender was answered', async () => {
    let settle: () => void = () => undefined;
    const sendEvent = vi.fn(async () => {
      await new Promise<void>((resolve) => (settle = resolve));
      return { eventId: '', duplicate: false, receivers: 0, started: [] };
    });
    const answer = await createHttpHandler(recordingApp({ sendEvent }), { timeout: 10 })(
      batched([plainEvent, { ...plainEvent, id: 'e-2' }]),
    );
    expect(answer.status).toBe(503);
    settle();
    await new Promise((resolve) => setImmediate(resolve));
    expect(sendEvent).toHaveBeenCalledOnce();
  });

  test('what waits for the storage has a limit, and is let go of when the storage answers', async () => {
    const waiting: (() => void)[] = [];
    const sendEvent = async (): Promise<EventReceipt> => {
      await new Promise<void>((resolve) => waiting.push(resolve));
      return { eventId: '', duplicate: false, receivers: 0, started: [] };
    };
    const handler = createHttpHandler(recordingApp({ sendEvent }), {
      timeout: 10,
      maxBodyBytes: 10_000,
      maxPendingBytes: 20_000,
    });
    const statuses: string[] = [];
    for (let count = 0; count < 6; count++) {
      const body = (await (await handler(structured({ id: `e-${count}`, data: 'x'.repeat(1000) }))).json()) as {
        error_type: string;
      };
      statuses.push(body.error_type);
    }
    // 4,096 and some 1,100 bytes each.
    expect(statuses).toEqual([...Array<string>(3).fill('STORAGE_UNAVAILABLE'), ...Array<string>(3).fill('OVERLOADED')]);
    expect(waiting).toHaveLength(3);
    for (const resolve of waiting) resolve();
    await new Promise((resolve) => setImmediate(resolve));
    await handler(structured());
    expect(waiting).toHaveLength(4);
  });

  test('refusals hold nothing back', async () => {
    const handler = createHttpHandler(recordingApp(), { maxBodyBytes: 10_000, maxPendingBytes: 20_000 });
    for (let count = 0; count < 50; count++) {
      expect((await handler(post('/events', '{', { 'content-type': 'application/cloudevents+json' }))).status).toBe(400);
      expect(
        (await handler(post('/events', 'x'.repeat(10_001), { 'content-type': 'application/cloudevents+json' }))).status,
      ).toBe(413);
    }
    expect((await handler(structured())).status).toBe(202);
  });
});

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

describe('options', () => {
  test.each([
    ['basePath', 'romancy'],
    ['basePath', '/a?b'],
    ['authenticate', true],
    ['authenticateHealth', 'yes'],
    ['maxBodyBytes', 0],
    ['maxBodyBytes', 1.5],
    ['maxBatchEvents', -1],
    ['maxPendingBytes', 1024],
    ['timeout', 0],
    ['timeout', '30'],
    ['timeout', '1000d'],
    ['logger', {}],
    ['loger', silentLogger],
  ])('%s: %j is refused at once', (option, value) => {
    expect(() => createHttpHandler(recordingApp(), { [option]: value })).toThrow(
      expect.objectContaining({ constructor: ConfigurationError, option }),
    );
  });

  test('so is what is no app', () => {
    expect(() => createHttpHandler(undefined as never)).toThrow(ConfigurationError);
    expect(() => createHttpHandler({} as never)).toThrow(ConfigurationError);
  });

  test('all of them are taken', async () => {
    const handler = createHttpHandler(recordingApp({ status: () => runningStatus }), {
      basePath: '/x',
      authenticate: () => true,
      authenticateHealth: true,
      maxBodyBytes: 1000,
      maxBatchEvents: 10,
      maxPendingBytes: 10_000,
      timeout: Number.POSITIVE_INFINITY,
      logger: silentLogger,
    });
    expect((await handler(structured({}, '/x/events'))).status).toBe(202);
  });
});
