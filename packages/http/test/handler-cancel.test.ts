// The route by which an instance is cancelled.
import { describe, expect, test } from 'vitest';
import { createHttpHandler } from '../src/index.js';
import { collect, startCollectingApp } from './collecting-app.js';
import { post } from './requests.js';

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
    await app.startWorkflow(collect, { type: 'x', count: 1 }, { instanceId: 'a' });
    const answer = await createHttpHandler(app)(post('/instances/a/cancel', body, { 'content-type': type }));
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({ retryable: false });
    expect((await app.get('a'))?.cancelRequested).toBe(false);
  });
});
