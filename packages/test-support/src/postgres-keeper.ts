// The process that owns a PostgreSQL server: when its standard input ends, however that came about, server and data go.
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { KeeperAnswer, KeeperOrder } from './keeper-orders.js';
import { type PostgresClusterOptions, startCluster } from './postgres-cluster.js';

// Nobody has to say stop: the pipe also ends when the process at its other end was killed. The signals of a terminal do not
// matter here, since the keeper has a session of its own.
const release = new AbortController();
const released = once(release.signal, 'abort');
process.stdin.once('close', () => release.abort());
process.once('SIGTERM', () => release.abort());
// Who asked for the server may be gone before it can be told; the end of standard input says so too.
process.stdout.on('error', () => undefined);

const options = JSON.parse(process.argv[2] ?? '{}') as PostgresClusterOptions;
const cluster = await startCluster(options, release.signal);
process.stdout.write(`${cluster.url}\n`);
const lines = createInterface(process.stdin).on('line', (line) => void obey(JSON.parse(line) as KeeperOrder));
await released;
lines.close();
await cluster.stop();
process.exit();

/** One order at a time: who gives them waits for the answer. */
async function obey({ order, mode = 'fast' }: KeeperOrder): Promise<void> {
  let answer: KeeperAnswer = {};
  try {
    await (order === 'shutDown' ? cluster.shutDown(mode) : cluster[order]());
  } catch (error) {
    answer = { problem: String(error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
