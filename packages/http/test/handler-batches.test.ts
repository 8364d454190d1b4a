// Many events in one request: each is delivered in its turn, and what is refused is told.
import { StorageUnavailableError } from '@romancy/core';
import { describe, expect, test, vi } from 'vitest';
import { createHttpHandler } from '../src/index.js';
import { collect, startCollectingApp } from './collecting-app.js';
import { failure } from './failure-body.js';
import { recordingApp } from './recording-app.js';
import { batched, plainEvent, post } from './requests.js';

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
