// How soon a process whose listening session was ended hears again, and starts what was made ready in between.
import pg from 'pg';
import { comparedRow, ownRow } from '../measurement.js';
import { pause, until } from '../pause.js';
import type { Pair } from '../statistics.js';
import { connected } from '../wakeups/connected.js';
import { notifiedApp } from '../wakeups/notified-app.js';
import { startWaiting, waiting, wake } from '../wakeups/waiting-workflow.js';
import { onServer } from './on-server.js';

/** Longer than attempts to connect are kept apart. */
const restMs = 300;

export const reconnect = onServer('reconnect', ({ url, emptySchema }, { quick }) =>
  connected(url, async (admin) => {
    const rounds = quick ? 5 : 15;
    const schema = await emptySchema('reconnect');
    const wentOnAt = new Map<string, number>();
    let listeningAt: number | null = null;
    const worker = await notifiedApp({
      url,
      schema,
      applicationName: schema,
      workflows: [waiting((instanceId) => void wentOnAt.set(instanceId, performance.now()))],
      // It listens, and its own note has come back.
      onState: (state) => void (state === 'catching_up' && (listeningAt = performance.now())),
    });
    const sender = await notifiedApp({ url, schema, workflows: [] });
    try {
      const again: Pair[] = [];
      const firstJobs: number[] = [];
      for (const id of await startWaiting(sender, rounds)) {
        await until('a healthy notifier', () => worker.status().notifier?.state === 'healthy');
        await pause(restMs);
        listeningAt = null;
        await admin.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1', [
          `${schema}:listening`,
        ]);
        const endedAt = performance.now();
        await wake(sender, id);
        firstJobs.push((await until('the first job', () => wentOnAt.get(id))) - endedAt);
        const heardAt = await until('a session that listens', () => listeningAt);
        again.push({ romancy: heardAt - endedAt, raw: await connectByHand(url) });
      }
      const atMost = (value: number) => ({ of: 'romancy', bound: 'at most', value }) as const;
      return [
        comparedRow({ what: 'session ended, until it listens again, median', unit: 'ms', target: atMost(150) }, again),
        ownRow({ what: 'session ended, until the first job, slowest', unit: 'ms', target: atMost(300) }, firstJobs, (each) =>
          Math.max(...each),
        ),
      ];
    } finally {
      await Promise.all([sender.stop(), worker.stop()]);
    }
  }),
);

/** Until a new client listens, in milliseconds. */
async function connectByHand(url: string): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  const began = performance.now();
  await client.connect();
  await client.query('LISTEN romancy_bench_raw_reconnect');
  const took = performance.now() - began;
  await client.end();
  return took;
}
