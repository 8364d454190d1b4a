// How soon an instance that waits in another process goes on: from the commit of its event to its next line there.
import { alternate } from '../alternate.js';
import { comparedRow, distribution, ownRow, pooledRow } from '../measurement.js';
import { pause } from '../pause.js';
import { startProcess, type BenchProcess } from '../processes/start-process.js';
import type { EventWorkerSays } from '../processes/event-worker.js';
import type { RawEventWorkerSays } from '../processes/raw-event-worker.js';
import { keepEvent, makeWaits, tellOfEvent } from '../raw/raw-waits.js';
import { quantile, quantilePair, type Pair } from '../statistics.js';
import { connected } from '../wakeups/connected.js';
import { notifiedApp } from '../wakeups/notified-app.js';
import { startWaiting, wake } from '../wakeups/waiting-workflow.js';
import { onServer } from './on-server.js';

/** Until the process that was woken has written down the end of it, and is idle. */
const restMs = 20;
const warmUps = 10;

type Worker = BenchProcess<EventWorkerSays>;

export const wakeUp = onServer('wake-up', ({ url, emptySchema }, { rounds, quick }) =>
  connected(url, async (storing, telling) => {
    const perRound = quick ? 30 : 100;
    const count = warmUps + rounds * perRound;
    const schema = await emptySchema('wake_up');
    const rawSchema = await emptySchema('raw_wake_up');
    const waits = { schema: rawSchema, channel: rawSchema };
    const romancy = await notifiedApp({ url, schema, workflows: [] });
    const worker: Worker = startProcess('event-worker', [url, schema]);
    const rawWorker: BenchProcess<RawEventWorkerSays> = startProcess('raw-event-worker', [url, rawSchema]);
    try {
      const rawIds = await makeWaits(storing, waits, count);
      await Promise.all([worker, rawWorker].map((each) => each.hear((said) => 'ready' in said)));
      const ids = await startWaiting(romancy, count);
      const sides = {
        async romancy() {
          await pause(restMs);
          const id = ids.pop()!;
          await wake(romancy, id);
          return await msUntilNextLine(worker, id);
        },
        async raw() {
          await pause(restMs);
          const id = rawIds.pop()!;
          await keepEvent(storing, waits, id);
          const next = msUntilNextLine(rawWorker, id);
          await tellOfEvent(telling, waits, id);
          return await next;
        },
      };
      await alternate(warmUps, sides);
      const samples: (readonly Pair[])[] = [];
      for (let round = 0; round < rounds; round++) samples.push(await alternate(perRound, sides));
      const typical = samples.map((round) => quantilePair(round, 0.5));
      const what = 'event to next line in another process';
      const atMost = (value: number) => ({ of: 'ratio', bound: 'at most', value }) as const;
      const within = (value: number) => ({ of: 'romancy', bound: 'at most', value }) as const;
      const all = samples.flat().map(({ romancy: ms }) => ms);
      const plot = distribution('event-to-resumption', samples.flat());
      return [
        comparedRow({ what: `${what}, median`, unit: 'ms', target: atMost(2), plot }, typical),
        pooledRow({ what: `${what}, 99 of 100`, unit: 'ms', target: atMost(3) }, samples, 0.99),
        ownRow({ what: 'the same by itself, median', unit: 'ms', target: within(3) }, all),
        ownRow({ what: 'the same by itself, 99 of 100', unit: 'ms', target: within(15) }, all, (each) => quantile(each, 0.99)),
      ];
    } finally {
      await Promise.all([worker.kill(), rawWorker.kill()]);
      await romancy.stop();
    }
  }),
);

/** From this call on. Called in the moment after the commit; both processes read the same clock. */
async function msUntilNextLine(worker: Worker, id: string): Promise<number> {
  const committedAt = process.hrtime.bigint();
  const said = await worker.hear((each) => 'wentOn' in each && each.wentOn === id);
  return 'at' in said ? Number(said.at - committedAt) / 1e6 : Number.NaN;
}
