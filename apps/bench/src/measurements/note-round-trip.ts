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

type Side = () => Promise<number>;
interface Sides {
  /** Beside NOTIFY. */
  readonly notify: { readonly romancy: Side; readonly raw: Side };
  /** Beside a statement that is kept parsed. */
  readonly kept: { readonly romancy: Side; readonly raw: Side };
}

export const noteRoundTrip = onServer('note-round-trip', async ({ url }, { rounds, quick }) => {
  const typical = { notify: [] as Pair[], kept: [] as Pair[] };
  for (let round = 0; round < rounds; round++) {
    const pairs = { notify: [] as Pair[], kept: [] as Pair[] };
    // The server wakes all who listen for each note, one after the other in the order in which they connected, and with few cores each of them is in
    // the way of the next: either side is before the other one as often as behind it.
    for (const isRawFirst of [true, false]) {
      await opened(url, isRawFirst, async (sides) => {
        for (const which of ['notify', 'kept'] as const) await alternate(20, sides[which]);
        for (const which of ['notify', 'kept'] as const) pairs[which].push(...(await alternate(quick ? 50 : 100, sides[which])));
      });
    }
    for (const which of ['notify', 'kept'] as const) typical[which].push(quantilePair(pairs[which], 0.5));
  }
  const beyond = ({ romancy: own, raw: byHand }: Pair): number => own - byHand;
  return [
    comparedRow({ what: 'a note, from sender to listener, median', unit: 'ms', target: ratio }, typical.notify),
    ownRow({ what: 'how much longer it takes than by hand', unit: 'ms', target: difference }, typical.notify.map(beyond)),
    comparedRow({ what: 'the same beside a kept statement, heard by both', unit: 'ms' }, typical.kept),
  ];
});

/** Opens both sides, the one before the other, lets `work` use them, and closes them. */
async function opened(url: string, isRawFirst: boolean, work: (sides: Sides) => Promise<void>): Promise<void> {
  const bySides = (raw: RawSides, romancy: Side): Promise<void> =>
    work({ notify: { romancy, raw: raw.notify }, kept: { romancy, raw: raw.kept } });
  if (isRawFirst) await withRaw(url, (raw) => withNotifiers(url, (romancy) => bySides(raw, romancy)));
  else await withNotifiers(url, (romancy) => withRaw(url, (raw) => bySides(raw, romancy)));
}

interface RawSides {
  readonly notify: Side;
  readonly kept: Side;
}

async function withRaw(url: string, work: (sides: RawSides) => Promise<void>): Promise<void> {
  await connected(url, (sending, listening) =>
    connected(url, async (sendingToo, hearingToo) => {
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
      await work({
        notify: raw(() => sending.query(`NOTIFY romancy_bench_raw_notes, '{"instance_id":"bench-instance"}'`)),
        kept: raw(() => sendingToo.query({ ...kept, values: ['romancy_bench_kept_notes', payload] })),
      });
    }),
  );
}

async function withNotifiers(url: string, work: (romancy: Side) => Promise<void>): Promise<void> {
  const channelPrefix = 'romancy_bench_notes';
  let heard: () => void = () => undefined;
  const a = await healthyNotifier({ connectionString: url, channelPrefix });
  try {
    const b = await healthyNotifier({ connectionString: url, channelPrefix }, { onWakeups: () => heard() });
    try {
      await work(async () => {
        await pause(quietMs);
        const arrival = new Promise<void>((resolve) => (heard = resolve));
        const began = performance.now();
        a.send([wakeup]);
        await arrival;
        return performance.now() - began;
      });
    } finally {
      await b.stop();
    }
  } finally {
    await a.stop();
  }
}
