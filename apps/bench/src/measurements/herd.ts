// How many idle processes ask the server for one job, and for one timer that is due.
import { defineWorkflow, Romancy, silentLogger, type AnyWorkflow, type Storage } from '@romancy/core';
import { createPgNotifier } from '@romancy/notify-pg';
import { createPostgresStorage } from '@romancy/storage-postgres';
import { ownRow } from '../measurement.js';
import { pause, until } from '../pause.js';
import type { PlaceServer } from '../places/place.js';
import { mean } from '../statistics.js';
import { connected } from '../wakeups/connected.js';
import { onServer } from './on-server.js';

const wanted = 50;
/** Of one app: three of its storage at the most, two of its notifier. */
const connectionsPerApp = 5;
/** For all else on the server. */
const reserve = 30;

/** With these, polling finds nothing while it is measured. */
const hardlyPolls = {
  workflowPollInterval: '1h',
  timerPollInterval: '1h',
  channelTimeoutInterval: '1h',
  notifyFallbackInterval: '1h',
  // The upkeep tells each process how many others there are.
  leaseDuration: '3s',
} as const;

const job = defineWorkflow('bench_job', async (ctx) => ctx.instanceId);

/** Longer than it takes until it is put away and all have heard when it is due. */
const napMs = 600;
const nap = defineWorkflow('bench_nap', async (ctx) => {
  await ctx.sleep(napMs);
});

export const herd = onServer('herd', async ({ url, emptySchema }, { rounds, quick }) => {
  const schema = await emptySchema('herd');
  const processes = Math.min(wanted, await roomFor(url));
  let claims = 0;
  const app = (more: { readonly workflows: readonly AnyWorkflow[] }): Romancy =>
    new Romancy({
      storage: counted(createPostgresStorage({ connectionString: url, schema, maxConnections: 3 }), () => claims++),
      notifier: createPgNotifier({ connectionString: url, channelPrefix: schema }),
      logger: silentLogger,
      ...hardlyPolls,
      ...more,
    });
  const starter = app({ workflows: [] });
  const workers = Array.from({ length: processes }, () => app({ workflows: [job, nap] }));
  try {
    await starter.start();
    await Promise.all(workers.map((worker) => worker.start()));
    const all = [starter, ...workers];
    await until('healthy notifiers', () => all.every((each) => each.status().notifier?.state === 'healthy'));
    await pause(1500);
    const perJob: number[] = [];
    for (let round = 0; round < (quick ? rounds * 2 : 16); round++) {
      claims = 0;
      const run = await starter.startWorkflow(job);
      await run.result();
      // Who comes late comes by then.
      await pause(300);
      perJob.push(someClaims('job', claims));
    }
    const perTimer: number[] = [];
    for (let round = 0; round < (quick ? rounds * 2 : 16); round++) {
      const sleeper = workers[round % workers.length]!;
      const dueAt = performance.now() + napMs;
      const run = await sleeper.startWorkflow(nap);
      await until('a sleeper that is put away', () => sleeper.status().running === 0);
      // What follows from that is over by then, and the timer is not due: the nap began after `dueAt` was reckoned.
      await pause(napMs / 2);
      if (performance.now() >= dueAt)
        throw new Error('the timer was due before its claims could be counted; the machine is too busy');
      claims = 0;
      await run.result();
      await pause(300);
      perTimer.push(someClaims('timer', claims));
    }
    const target = { of: 'romancy', bound: 'at most', value: 3 } as const;
    const what = (of: string) => `claims per ${of} with ${processes} idle processes, mean`;
    return [
      ownRow({ what: what('job'), unit: 'claims', target }, perJob, mean),
      ownRow({ what: what('due timer'), unit: 'claims', target }, perTimer, mean),
    ];
  } finally {
    await Promise.all([starter, ...workers].map((each) => each.stop()));
  }
});

function counted(storage: Storage, onClaim: () => void): Storage {
  return {
    ...storage,
    runs: {
      ...storage.runs,
      claim: (request) => {
        onClaim();
        return storage.runs.claim(request);
      },
    },
  };
}

/** Nobody but who claims gets a job or a timer: where none was counted, it was not counted right. */
function someClaims(what: string, count: number): number {
  if (count === 0) throw new Error(`a ${what} was run without a claim that was counted`);
  return count;
}

/** How many apps find connections on the server now. */
async function roomFor(url: PlaceServer['url']): Promise<number> {
  return await connected(url, async (admin) => {
    const { rows } = await admin.query<{ readonly free: number }>(
      `SELECT current_setting('max_connections')::int - (SELECT count(*) FROM pg_stat_activity)::int AS free`,
    );
    return Math.max(2, Math.floor((rows[0]!.free - reserve) / connectionsPerApp));
  });
}
