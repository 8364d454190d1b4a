// Notes within the transactions that they are about, under faults: they share the fate of their transaction, and never decide it.
import { createPostgresStorage } from '@romancy/storage-postgres';
import { recordingLogger } from '@romancy/core/testing';
import { afterwards, type BackendFrame, createDatabase, eventually, startTcpProxy } from '@romancy/test-support';
import { expect, it } from 'vitest';
import { createPgNotifier } from '../../src/index.js';
import { systemClock } from '../real-time.js';
import { watchingClient, type WatchingClient } from '../watching-client.js';
import { ledgered } from './ledgered-workflow.js';
import { openLedger } from './ledger.js';
import { hardlyPolls, healthyApp } from './start-app.js';

const delivery = 'transactional';
const resumable = 'romancy_workflow_resumable';

/** Ready for the next statement, of which there are more in this transaction. */
const isWithin = ({ kind, bytes }: BackendFrame): boolean => kind === 'Z' && bytes[5] === 'T'.charCodeAt(0);

/** By the answer that is lost, with the session: how often what it tells may be heard. */
const cuts: Readonly<
  Record<string, { readonly answer: (frame: BackendFrame) => boolean; readonly count: number; readonly told: number }>
> = {
  'before it has changed anything': { answer: isWithin, count: 1, told: 1 },
  'when it has made its change': { answer: isWithin, count: 2, told: 1 },
  'when it has given its notes': { answer: isWithin, count: 3, told: 1 },
  // Nobody can know that, so it is done again: without another effect, and with the same notes.
  'after its commit': { answer: ({ kind, bytes }) => kind === 'C' && bytes.includes('COMMIT'), count: 1, told: 2 },
};

it('a transaction whose session is cut tells nothing unless it is committed; what is done again is told again, and found once', async () => {
  const { url } = await createDatabase();
  const ledger = await openLedger(url);
  const watching = await watchingClient(url);
  await watching.listen(resumable);
  const proxy = await startTcpProxy(url);
  const notifier = { connectionString: url, delivery } as const;
  const from = await healthyApp({ url: proxy.url, notifier, workflows: [], ...hardlyPolls });
  for (const [cut, { answer, count, told }] of Object.entries(cuts)) {
    let isCut = false;
    proxy.onStartup = (connection) => {
      let seen = 0;
      connection.onFrame = (frame) => {
        if (isCut || !answer(frame) || ++seen < count) return 'pass';
        isCut = true;
        return 'reset';
      };
    };
    for (const connection of proxy.connections) proxy.onStartup(connection);
    const [id] = await ledger.start(from.romancy, 1);
    expect(isCut, cut).toBe(true);
    expect(await heardOf(watching, id!), cut).toBe(told);
  }
  await healthyApp({ url, notifier, ...hardlyPolls });
  await ledger.complete(3000);
});

it('a commit that fails has told nothing', async () => {
  const { url } = await createDatabase();
  const ledger = await openLedger(url);
  const watching = await watchingClient(url);
  await watching.listen(resumable);
  const from = await healthyApp({ url, notifier: { delivery }, workflows: [], ...hardlyPolls });
  await ledger.query(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'refused'; END $$`);
  await ledger.query(
    'CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON romancy.instances DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()',
  );
  const starting = from.romancy.startWorkflow(ledgered, { pauseMs: 0 }, { instanceId: 'refused' });
  await expect(starting).rejects.toThrow(/refused/);
  expect(await heardOf(watching, 'refused')).toBe(0);
  await ledger.query('DROP TRIGGER refuse ON romancy.instances');
  await from.romancy.startWorkflow(ledgered, { pauseMs: 0 }, { instanceId: 'taken' });
  expect(await heardOf(watching, 'taken')).toBe(1);
});

it('what is too long for a note makes no transaction fail: whoever listens is told to look at everything', async () => {
  const { url } = await createDatabase();
  const watching = await watchingClient(url);
  await watching.listen('romancy_channel_message', 'romancy_look_at_everything');
  const from = await healthyApp({ url, notifier: { delivery }, workflows: [], ...hardlyPolls });
  await from.romancy.startWorkflow(ledgered, { pauseMs: 0 }, { instanceId: 'one' });
  // The app takes no names of that length; a storage has no such limit.
  const storage = createPostgresStorage({ connectionString: url, maxConnections: 3 });
  const { notesOf } = createPgNotifier({ connectionString: url, delivery });
  await storage.open({ clock: systemClock, logger: recordingLogger(), notesOf });
  afterwards(() => storage.close());
  const event = {
    source: '/test',
    messageId: 'e',
    data: '1',
    to: { type: 'instance', instanceId: 'one' },
    starts: null,
  } as const;
  expect(await storage.messages.deliver({ ...event, topic: `event:${'x'.repeat(8000)}` })).toMatchObject({
    outcome: 'delivered',
  });
  await eventually(() => watching.notes.length > 0);
  expect(watching.notes.map(({ channel, payload }) => [channel, payload])).toEqual([['romancy_look_at_everything', '{}']]);
});

/** How often something was told of this instance until now, in the order in which the server sends. */
async function heardOf({ notes, notify }: WatchingClient, instanceId: string): Promise<number> {
  await notify(resumable, { until: instanceId });
  await eventually(() => notes.some(({ payload }) => payload?.includes(`"until":"${instanceId}"`)));
  return notes.filter(({ payload }) => payload?.includes(`"instance_id":"${instanceId}"`)).length;
}
