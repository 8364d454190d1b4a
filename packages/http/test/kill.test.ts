// What was answered with 202 survives the death of the process that answered, in the very moment in which it did.
import { Romancy, silentLogger } from '@romancy/core';
import { createSqliteStorage } from '@romancy/storage-sqlite';
import { afterwards, compileFixture, spawnFixture, temporaryFile } from '@romancy/test-support';
import { beforeAll, expect, test } from 'vitest';
import { collect } from './collecting-app.js';
import { plainEvent } from './requests.js';

let server: string;

beforeAll(async () => {
  server = await compileFixture(new URL('./fixtures/event-server.ts', import.meta.url));
});

async function open(filename: string): Promise<Romancy> {
  const app = new Romancy({ storage: createSqliteStorage({ filename }), workflows: [collect], logger: silentLogger });
  afterwards(() => app.stop());
  await app.start();
  return app;
}

test('an event that was accepted is there after a SIGKILL', async () => {
  const filename = await temporaryFile();
  const before = await open(filename);
  await before.startWorkflow(collect, { type: plainEvent.type, count: 1 }, { instanceId: 'one' });
  await before.stop();

  const fixture = spawnFixture(server, [filename]);
  const { url } = await fixture.message<{ readonly url: string }>();
  const answer = await fetch(`${url}/instances/one/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/cloudevents+json' },
    body: JSON.stringify({ ...plainEvent, data: { kept: true } }),
  });
  expect(answer.status).toBe(202);
  expect(await fixture.kill()).toMatchObject({ signal: 'SIGKILL' });

  const after = await open(filename);
  expect(await after.getHandle('one').result({ timeout: '15s' })).toMatchObject([{ id: 'e-1', data: { kept: true } }]);
});

test('of many at a time, with the kill in their midst, none that was accepted is lost, and all can be sent again', async () => {
  const filename = await temporaryFile();
  const count = 300;
  const before = await open(filename);
  await before.startWorkflow(collect, { type: plainEvent.type, count }, { instanceId: 'one' });
  await before.stop();

  const send = async (url: string, id: string): Promise<{ readonly accepted: boolean; readonly duplicate: boolean }> => {
    const headers = { 'content-type': 'application/cloudevents+json' };
    const body = JSON.stringify({ ...plainEvent, id, romancyinstance: 'one' });
    const answer = await fetch(`${url}/events`, { method: 'POST', headers, body }).catch(() => undefined);
    if (answer?.status !== 202) return { accepted: false, duplicate: false };
    // The 202 counts, also when its body no longer comes.
    const said = (await answer.json().catch(() => undefined)) as { readonly duplicates: number } | undefined;
    return { accepted: true, duplicate: said?.duplicates === 1 };
  };

  const first = spawnFixture(server, [filename, '20']);
  const { url } = await first.message<{ readonly url: string }>();
  const ids = Array.from({ length: count }, (_, index) => `e-${index}`);
  const accepted = new Set<string>();
  await Promise.all(
    ids.map(async (id) => {
      const answer = await send(url, id);
      if (answer.accepted) accepted.add(id);
    }),
  );
  expect(await first.exited).toMatchObject({ signal: 'SIGKILL' });
  expect(accepted.size).toBeGreaterThan(0);
  expect(accepted.size).toBeLessThan(count);

  const second = spawnFixture(server, [filename]);
  const again = await second.message<{ readonly url: string }>();
  const repeated = await Promise.all(ids.map(async (id) => [id, await send(again.url, id)] as const));
  expect(repeated.filter(([, answer]) => !answer.accepted)).toEqual([]);
  // Each that was accepted before is known: it was durable when its sender was told.
  expect(repeated.filter(([id, answer]) => accepted.has(id) && !answer.duplicate)).toEqual([]);
  await second.kill();

  const after = await open(filename);
  const events = (await after.getHandle<readonly { readonly id: string }[]>('one').result({ timeout: '15s' })).map(
    ({ id }) => id,
  );
  expect(events.toSorted()).toEqual(ids.toSorted());
});
