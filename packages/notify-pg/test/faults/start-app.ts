// An app in the process of the test: PostgreSQL behind it, a notifier beside it.
import { Romancy, silentLogger, type NotifierState, type RomancyOptions } from '@romancy/core';
import { createPostgresStorage } from '@romancy/storage-postgres';
import { afterwards, eventually } from '@romancy/test-support';
import { createPgNotifier, type PgNotifierOptions } from '../../src/index.js';
import { fast } from './fast-profile.js';
import { ledgered } from './ledgered-workflow.js';

export interface AppOptions extends Omit<RomancyOptions, 'storage' | 'notifier'> {
  /** Where its storage is. */
  readonly url: string;
  /** Where its notifier connects, in the fast profile unless it says otherwise; null: none. Default: as the storage. */
  readonly notifier?: Partial<PgNotifierOptions> | null;
  /** Connections of its storage. Default 5. */
  readonly maxConnections?: number;
}

export interface StartedApp {
  readonly romancy: Romancy;
  /** The effective state of its notifier, as the hook has told it, oldest first. */
  readonly states: readonly NotifierState[];
  /** Resolves when the state is that one. */
  is(state: NotifierState, timeout?: number): Promise<void>;
}

/** Started, and stopped after the test. It runs `ledgered` unless told otherwise. */
export async function startApp({ url, notifier, maxConnections = 5, ...options }: AppOptions): Promise<StartedApp> {
  const states: NotifierState[] = [];
  const romancy = new Romancy({
    storage: createPostgresStorage({ connectionString: url, maxConnections }),
    ...(notifier === null
      ? {}
      : { notifier: createPgNotifier({ connectionString: url, ...fast, ...notifier } as PgNotifierOptions) }),
    workflows: [ledgered],
    logger: silentLogger,
    hooks: { onNotifierStateChange: ({ state }) => void states.push(state) },
    ...options,
  });
  afterwards(() => romancy.stop());
  await romancy.start();
  return {
    romancy,
    states,
    is: async (state, timeout = 10_000) => void (await eventually(() => states.at(-1) === state, { timeout, interval: 1 })),
  };
}

/** As {@link startApp}, and resolves when its notifier is healthy. */
export async function healthyApp(options: AppOptions): Promise<StartedApp> {
  const app = await startApp(options);
  await app.is('healthy');
  return app;
}

/** With these, polling finds nothing within a test: what is found quickly was found by a note or a sweep. */
export const hardlyPolls = {
  workflowPollInterval: '1h',
  timerPollInterval: '1h',
  channelTimeoutInterval: '1h',
  notifyFallbackInterval: '1h',
  leaseDuration: '1h',
} as const satisfies Partial<RomancyOptions>;
