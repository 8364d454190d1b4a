// Which paths and methods there are, and where they begin.
import { describe, expect, test } from 'vitest';
import { createHttpHandler } from '../src/index.js';
import { failure } from './failure-body.js';
import { recordingApp } from './recording-app.js';
import { post, structured } from './requests.js';

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
