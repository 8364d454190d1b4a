// How soon a run goes on elsewhere when the process that had it is killed.
import { ownRow } from '../measurement.js';
import { pause } from '../pause.js';
import { startProcess, type BenchProcess } from '../processes/start-process.js';
import type { TalkingWorkerOrder, TalkingWorkerSays } from '../processes/talking-worker.js';
import { quantile } from '../statistics.js';
import { onServer } from './on-server.js';

type Worker = BenchProcess<TalkingWorkerSays>;

/** So long a run goes on before its process is killed, in milliseconds: by then others know of it, as they do in life. */
const runMs = 1500;

export const takeover = onServer('takeover', async ({ url, emptySchema }, { rounds, quick }) => {
  const kills = quick ? rounds : 8;
  const schema = await emptySchema('takeover');
  const started: Worker[] = [];
  const spawn = async (): Promise<Worker> => {
    const worker: Worker = startProcess('talking-worker', [url, schema]);
    started.push(worker);
    await worker.hear((said) => 'ready' in said);
    return worker;
  };
  try {
    const workers = [await spawn(), await spawn(), await spawn()];
    const took: number[] = [];
    for (let kill = 0; kill < kills; kill++) {
      const instanceId = `bench-run-${kill}`;
      const isLine = (said: TalkingWorkerSays): boolean => 'line' in said && said.line === instanceId;
      const owner = workers.shift()!;
      owner.tell({ start: instanceId } satisfies TalkingWorkerOrder);
      // Who starts a run, and has room, gets it.
      await owner.hear(isLine);
      const [spare] = await Promise.all([spawn(), pause(runMs)]);
      workers.push(spare);
      const elsewhere = Promise.any(workers.map((worker) => worker.hear(isLine)));
      const killedAt = process.hrtime.bigint();
      await owner.kill();
      const said = await elsewhere;
      took.push('at' in said ? Number(said.at - killedAt) / 1e6 : Number.NaN);
    }
    const target = { of: 'romancy', bound: 'at most', value: 3000 } as const;
    const what = 'worker killed, until its run goes on elsewhere, 95 of 100';
    return [ownRow({ what, unit: 'ms', target }, took, (each) => quantile(each, 0.95))];
  } finally {
    await Promise.all(started.map((worker) => worker.kill()));
  }
});
