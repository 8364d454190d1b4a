// What a sender is told when the app, its storage or the time fails him.
import {
  InstanceConflictError,
  InstanceFinishedError,
  InstanceNotFoundError,
  InvalidArgumentError,
  LeaseLostError,
  NotRunningError,
  PayloadNotSerializableError,
  PayloadTooLargeError,
  Romancy,
  silentLogger,
  StorageUnavailableError,
  ValidationError,
  type EventReceipt,
} from '@romancy/core';
import { createMemoryStorage } from '@romancy/core/testing';
import { eventually } from '@romancy/test-support';
import { describe, expect, test, vi } from 'vitest';
import { createHttpHandler } from '../src/index.js';
import { collect, startCollectingApp } from './collecting-app.js';
import { failure } from './failure-body.js';
import { recordingApp } from './recording-app.js';
import { batched, plainEvent, post, structured } from './requests.js';

describe('trouble', () => {
  test.each([
    ['the storage is unavailable', new StorageUnavailableError('host db-7 is down'), 503, 'STORAGE_UNAVAILABLE'],
    ['the app does not run', new NotRunningError('stopped'), 503, 'NOT_RUNNING'],
    ['a conflict', new InstanceConflictError({ instanceId: 'a' }), 409, 'INSTANCE_CONFLICT'],
    ['too large for the app', new PayloadTooLargeError({ what: 'event', bytes: 3, limit: 2 }), 413, 'PAYLOAD_TOO_LARGE'],
    ['an unknown instance', new InstanceNotFoundError({ instanceId: 'a' }), 404, 'INSTANCE_NOT_FOUND'],
    ['an instance that has ended', new InstanceFinishedError({ instanceId: 'a', status: 'failed' }), 409, 'INSTANCE_FINISHED'],
    ['an argument that the app refuses', new InvalidArgumentError('too long', { argument: 'id' }), 400, 'INVALID_REQUEST'],
    ['a violation of a schema', new ValidationError({ what: 'input', issues: [] }), 400, 'INVALID_REQUEST'],
    ['what cannot be written down', new PayloadNotSerializableError('a function', { path: '$' }), 400, 'INVALID_REQUEST'],
    ['a lost lease', new LeaseLostError({ workerId: 'db-7' }), 503, 'STORAGE_UNAVAILABLE'],
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
