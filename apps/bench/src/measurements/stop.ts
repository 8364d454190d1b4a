// How long a notifier takes to stop, with something to send still, and where nobody answers any more.
import pg from 'pg';
import type { Wakeup } from '@romancy/core/ports';
import { alternate } from '../alternate.js';
import { ownRow, pooledRow } from '../measurement.js';
import type { Pair } from '../statistics.js';
import { healthyNotifier } from '../wakeups/healthy-notifier.js';
import { openSilentRelay } from '../wakeups/silent-relay.js';
import { onServer } from './on-server.js';

const channelPrefix = 'romancy_bench_stop';
const wakeup: Wakeup = { kind: 'outbox_pending', eventId: 'bench-event' };

export const stop = onServer('stop', async ({ url }, { rounds, quick }) => {
  const sides = {
    async romancy() {
      const notifier = await healthyNotifier({ connectionString: url, channelPrefix });
      notifier.send([wakeup]);
      return await duration(() => notifier.stop());
    },
    /** Two sessions as well, the last note sent, both ended. */
    async raw() {
      const [listening, sending] = [new pg.Client({ connectionString: url }), new pg.Client({ connectionString: url })];
      await Promise.all([listening.connect(), sending.connect()]);
      await listening.query('LISTEN romancy_bench_raw_stop');
      return await duration(async () => {
        await sending.query(`NOTIFY romancy_bench_raw_stop, '{"event_id":"bench-event"}'`);
        await Promise.all([listening.end(), sending.end()]);
      });
    },
  };
  await alternate(3, sides);
  const samples: (readonly Pair[])[] = [];
  for (let round = 0; round < rounds; round++) samples.push(await alternate(quick ? 10 : 20, sides));
  const inBlackHole = await Promise.all(Array.from({ length: quick ? 1 : 5 }, () => stopInBlackHole(url)));
  const atMost = (value: number) => ({ of: 'romancy', bound: 'at most', value }) as const;
  return [
    pooledRow({ what: 'stop of a notifier, 99 of 100', unit: 'ms', target: atMost(50) }, samples, 0.99),
    ownRow({ what: 'stop where nobody answers, slowest', unit: 'ms', target: atMost(2000) }, inBlackHole, (each) =>
      Math.max(...each),
    ),
  ];
});

async function stopInBlackHole(url: string): Promise<number> {
  const relay = await openSilentRelay(url);
  const notifier = await healthyNotifier({ connectionString: relay.url, channelPrefix });
  try {
    relay.swallow('both');
    notifier.send([wakeup]);
    return await duration(() => notifier.stop());
  } finally {
    await relay.close();
  }
}

/** In milliseconds. */
async function duration(one: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await one();
  return performance.now() - began;
}
