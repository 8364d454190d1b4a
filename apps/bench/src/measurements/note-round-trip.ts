// How long one note takes from the process that sends it to the one that hears it.
import type { Wakeup } from '@romancy/core/ports';
import { alternate } from '../alternate.js';
import { comparedRow } from '../measurement.js';
import { pause } from '../pause.js';
import { quantilePair, type Pair } from '../statistics.js';
import { connected } from '../wakeups/connected.js';
import { healthyNotifier } from '../wakeups/healthy-notifier.js';
import { onServer } from './on-server.js';

/** Longer than wake-ups are gathered after one: each note is one after quiet. */
const quietMs = 8;
const wakeup: Wakeup = { kind: 'workflow_resumable', instanceId: 'bench-instance', workflowName: 'bench_order' };

export const noteRoundTrip = onServer('note-round-trip', ({ url }, { rounds, quick }) =>
  connected(url, async (sending, listening) => {
    const channelPrefix = 'romancy_bench_notes';
    let heard: () => void = () => undefined;
    const a = await healthyNotifier({ connectionString: url, channelPrefix });
    const b = await healthyNotifier({ connectionString: url, channelPrefix }, { onWakeups: () => heard() });
    try {
      await listening.query('LISTEN romancy_bench_raw_notes');
      // As the notifier's: a note alone writes nothing that would have to be flushed.
      await sending.query('SET synchronous_commit = off');
      const sides = {
        async romancy() {
          await pause(quietMs);
          const arrival = new Promise<void>((resolve) => (heard = resolve));
          const began = performance.now();
          a.send([wakeup]);
          await arrival;
          return performance.now() - began;
        },
        async raw() {
          await pause(quietMs);
          const arrival = new Promise<void>((resolve) => void listening.once('notification', () => resolve()));
          const began = performance.now();
          const sent = sending.query(`NOTIFY romancy_bench_raw_notes, '{"instance_id":"bench-instance"}'`);
          await arrival;
          const took = performance.now() - began;
          await sent;
          return took;
        },
      };
      await alternate(20, sides);
      const typical: Pair[] = [];
      for (let round = 0; round < rounds; round++) typical.push(quantilePair(await alternate(quick ? 50 : 200, sides), 0.5));
      const target = { of: 'difference', bound: 'at most', value: 0.05 } as const;
      return [comparedRow({ what: 'a note, from sender to listener, median', unit: 'ms', target }, typical)];
    } finally {
      await Promise.all([a.stop(), b.stop()]);
    }
  }),
);
