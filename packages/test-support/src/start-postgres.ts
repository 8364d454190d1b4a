// Starts a throw-away PostgreSQL server that cannot outlive the process which asked for it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { extname } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { KeeperAnswer, KeeperOrder } from './keeper-orders.js';
import type { PostgresCluster, PostgresClusterOptions } from './postgres-cluster.js';
import { tsxEnvironment, tsxLoader } from './tsx-loader.js';

export type { PostgresCluster, PostgresClusterOptions };
export type { ShutdownMode } from './postgres-server.js';

/**
 * A real PostgreSQL 18 out of the package registry, on a free port of 127.0.0.1, with a fresh cluster unless `folder` has one. The server,
 * and data without a folder, are gone after `stop()`, and also after a crash, a SIGKILL or Ctrl-C of this process: a keeper process of
 * its own watches over them.
 */
export async function startPostgres(options: PostgresClusterOptions = {}): Promise<PostgresCluster> {
  const extension = extname(import.meta.url); // .ts in the repository, .js where an application was bundled
  const keeperFile = fileURLToPath(new URL(`./postgres-keeper${extension}`, import.meta.url));
  const loader = extension === '.ts' ? ['--import', tsxLoader()] : [];
  const keeper = spawn(process.execPath, [...loader, keeperFile, JSON.stringify(options)], {
    detached: true,
    env: { ...process.env, ...tsxEnvironment },
    stdio: 'pipe',
  });
  let problems = '';
  keeper.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    problems += chunk;
  });
  const exited = once(keeper, 'exit');
  const said = once(keeper, 'close'); // by then all that it had to say was read
  const lines = createInterface(keeper.stdout);
  const nextLine = (): Promise<string | undefined> =>
    Promise.race([once(lines, 'line').then(([line]) => line as string), said.then(() => undefined)]);
  const url = await nextLine();
  if (url === undefined) throw new Error(`PostgreSQL could not be started:\n${problems}`);
  // The keeper ends when this process does; it must not be what keeps this process alive.
  keeper.unref();
  for (const stream of [keeper.stdin, keeper.stdout, keeper.stderr] as unknown[] as Socket[]) stream.unref();
  let last: Promise<unknown> = Promise.resolve();
  /** One at a time, so that the next line is the answer. */
  const tell = (order: KeeperOrder): Promise<void> => {
    const told = last.then(async () => {
      keeper.stdin.write(`${JSON.stringify(order)}\n`);
      const line = await nextLine();
      const { problem } = JSON.parse(line ?? '{"problem":"its keeper is gone"}') as KeeperAnswer;
      if (problem !== undefined) throw new Error(`PostgreSQL did not obey ${order.order}: ${problem}`);
    });
    last = told.catch(() => undefined);
    return told;
  };
  return {
    url,
    async stop() {
      keeper.ref();
      keeper.stdin.end();
      await exited;
    },
    shutDown: (mode) => tell({ order: 'shutDown', mode }),
    startAgain: () => tell({ order: 'startAgain' }),
    freeze: () => tell({ order: 'freeze' }),
    thaw: () => tell({ order: 'thaw' }),
  };
}
