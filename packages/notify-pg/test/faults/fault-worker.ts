// A worker in a process of its own, for faults that befall processes.
import { Romancy, silentLogger } from '@romancy/core';
import { createPostgresStorage } from '@romancy/storage-postgres';
import { createPgNotifier } from '../../src/index.js';
import { fast } from './fast-profile.js';
import { ledgered } from './ledgered-workflow.js';

/** What the process is started with, and what it can be told. */
export interface FaultWorkerOptions {
  readonly url: string;
  readonly notifyUrl: string;
  /** Milliseconds. Default 3000. */
  readonly leaseDuration?: number;
  /** Milliseconds after which its storage gives up a statement without an answer. Default 30,000. */
  readonly statementTimeout?: number;
}

export type FaultWorkerOrder =
  { readonly order: 'status' } | { readonly order: 'block'; readonly ms: number } | { readonly order: 'stop' };

const say = (message: object): void => void process.stdout.write(`${JSON.stringify(message)}\n`);

const options = JSON.parse(process.argv[2] ?? '{}') as FaultWorkerOptions;
const notifier = createPgNotifier({ connectionString: options.notifyUrl, ...fast });
const romancy = new Romancy({
  storage: createPostgresStorage({
    connectionString: options.url,
    maxConnections: 5,
    statementTimeout: options.statementTimeout ?? 30_000,
  }),
  notifier,
  workflows: [ledgered],
  logger: silentLogger,
  leaseDuration: options.leaseDuration ?? 3000,
  hooks: { onNotifierStateChange: ({ state, previous, reason }) => say({ kind: 'state', state, previous, reason }) },
});
await romancy.start();
say({ kind: 'started' });

process.on('message', (message: FaultWorkerOrder) => {
  if (message.order === 'status') say({ kind: 'status', ...notifier.status(), memory: process.memoryUsage().rss });
  else if (message.order === 'block') {
    const end = performance.now() + message.ms;
    while (performance.now() < end);
    say({ kind: 'went on' });
  } else void romancy.stop().then(() => process.exit());
});
