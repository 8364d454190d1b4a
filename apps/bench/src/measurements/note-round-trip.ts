// How long one note takes from the process that sends it to the one that hears it.
import type { Wakeup } from '@romancy/core/ports';
import { alternate } from '../alternate.js';
import { comparedRow, ownRow } from '../measurement.js';
import { pause } from '../pause.js';
import { quantilePair, type Pair } from '../statistics.js';
import { connected } from '../wakeups/connected.js';
import { healthyNotifier } from '../wakeups/healthy-notifier.js';
import { onServer } from './on-server.js';

/** Longer than wake-ups are gathered after one: each note is one after quiet. */
const quietMs = 8;
const payload = '{"instance_id":"bench-instance","workflow_name":"bench_order"}';
/** What a program that sends all the time asks for, so that the server's statistics know one statement, and not one for each note. */
const kept = { name: 'notify', text: 'SELECT pg_notify($1, $2)' };
const wakeup: Wakeup = { kind: 'workflow_resumable', instanceId: 'bench-instance', workflowName: 'bench_order' };

/**
 * 0.05 ms more than by hand, where that takes 0.06: on a machine that wakes from idleness more slowly, everything does, and the part stays.
 */
const difference = { of: 'romancy', bound: 'at most', value: 0.05 } as const;
const ratio = { of: 'ratio', bound: 'at most', value: 1.83 } as const;

export const noteRoundTrip = onServer('note-round-trip', ({ url }, { rounds, quick }) =>
  connected(url, (sending, listening) =>
    connected(url, async (sendingToo, hearingToo) => {
      const channelPrefix = 'romancy_bench_notes';
      let heard: () => void = () => undefined;
      const a = await healthyNotifier({ connectionString: url, channelPrefix });
      const b = await healthyNotifier({ connectionString: url, channelPrefix }, { onWakeups: () => heard() });
      try {
        await listening.query('LISTEN romancy_bench_raw_notes; LISTEN romancy_bench_kept_notes');
        // A process that tells others also hears them, and with them itself.
        await hearingToo.query('LISTEN romancy_bench_kept_notes');
        // As the notifier's: a note alone writes nothing that would have to be flushed.
        for (const client of [sending, sendingToo]) await client.query('SET synchronous_commit = off');
        const raw = (send: () => Promise<unknown>) => async () => {
          await pause(quietMs);
          const arrival = new Promise<void>((resolve) => void listening.once('notification', () => resolve()));
          const began = performance.now();
          const sent = send();
          await arrival;
          const took = performance.now() - began;
          await sent;
          return took;
        };
        const romancy = async () => {
          await pause(quietMs);
          const arrival = new Promise<void>((resolve) => (heard = resolve));
          const began = performance.now();
          a.send([wakeup]);
          await arrival;
          return performance.now() - began;
        };
        const besideNotify = {
          romancy,
          raw: raw(() => sending.query(`NOTIFY romancy_bench_raw_notes, '{"instance_id":"bench-instance"}'`)),
        };
        const besideKept = {
          romancy,
          raw: raw(() => sendingToo.query({ ...kept, values: ['romancy_bench_kept_notes', payload] })),
        };
        const typical = { notify: [] as Pair[], kept: [] as Pair[] };
        for (const sides of [besideNotify, besideKept]) await alternate(20, sides);
        for (let round = 0; round < rounds; round++) {
          typical.notify.push(quantilePair(await alternate(quick ? 50 : 200, besideNotify), 0.5));
          typical.kept.push(quantilePair(await alternate(quick ? 50 : 200, besideKept), 0.5));
        }
        const beyond = ({ romancy: own, raw: byHand }: Pair): number => own - byHand;
        return [
          comparedRow({ what: 'a note, from sender to listener, median', unit: 'ms', target: ratio }, typical.notify),
          ownRow({ what: 'how much longer it takes than by hand', unit: 'ms', target: difference }, typical.notify.map(beyond)),
          comparedRow({ what: 'the same beside a kept statement, heard by both', unit: 'ms' }, typical.kept),
        ];
      } finally {
        await Promise.all([a.stop(), b.stop()]);
      }
    }),
  ),
);
