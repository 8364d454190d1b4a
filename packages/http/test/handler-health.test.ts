// What the handler says of the life of its process and its app.
import { Romancy, silentLogger } from '@romancy/core';
import { createMemoryNotifierHub, createMemoryStorage } from '@romancy/core/testing';
import { afterwards, eventually } from '@romancy/test-support';
import { describe, expect, test } from 'vitest';
import { createHttpHandler } from '../src/index.js';
import { startCollectingApp } from './collecting-app.js';

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
