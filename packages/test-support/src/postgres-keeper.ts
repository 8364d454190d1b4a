// The process that owns a PostgreSQL server: when its standard input ends, however that came about, server and data go.
import { type PostgresClusterOptions, startCluster } from './postgres-cluster.js';

// Nobody has to say stop: the pipe also ends when the process at its other end was killed. The signals of a terminal do not
// matter here, since the keeper has a session of its own.
const released = new Promise<void>((resolve) => {
  process.stdin.once('close', resolve).resume();
  process.once('SIGTERM', resolve);
});
// Who asked for the server may be gone before it can be told; the end of standard input says so too.
process.stdout.on('error', () => undefined);

const options = JSON.parse(process.argv[2] ?? '{}') as PostgresClusterOptions;
const cluster = await startCluster(options);
process.stdout.write(`${cluster.url}\n`);
await released;
await cluster.stop();
process.exit();
