// Who is let in, and what is not read of the others.
import { describe, expect, test, vi } from 'vitest';
import { createHttpHandler, type HttpHandlerOptions } from '../src/index.js';
import { failure } from './failure-body.js';
import { recordingApp } from './recording-app.js';
import { plainEvent, post, streamed, structured } from './requests.js';

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
    ['an object that is no Response', () => ({ status: 200 })],
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
