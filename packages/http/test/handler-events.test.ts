// What is done with an event that came in: on a real app, whom it reaches and what is answered.
import { eventually } from '@romancy/test-support';
import { describe, expect, test } from 'vitest';
import { createHttpHandler } from '../src/index.js';
import { collect, startCollectingApp } from './collecting-app.js';
import { failure } from './failure-body.js';
import { recordingApp } from './recording-app.js';
import { binary, structured } from './requests.js';

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
