// A notifier on a real server, with a host that remembers what it was told.
import { recordingLogger, type RecordingLogger } from '@romancy/core/testing';
import type { Notifier, NotifierHost, NotifierState, Wakeup } from '@romancy/core/ports';
import { afterwards, eventually } from '@romancy/test-support';
import { createPgNotifier, type PgNotifierOptions } from '../src/index.js';
import { systemClock, systemEntropy } from './real-time.js';

export interface Started {
  readonly notifier: Notifier;
  readonly logger: RecordingLogger;
  readonly heard: Wakeup[];
  readonly states: NotifierState[];
  readonly presences: (string | null)[];
  /** How often it said "look at everything". */
  sweeps(): number;
  /** Resolves when it is in that state. */
  is(state: NotifierState, timeout?: number): Promise<void>;
}

/** Started, and stopped after the test. */
export async function startNotifier(options: PgNotifierOptions, host: Partial<NotifierHost> = {}): Promise<Started> {
  const notifier = createPgNotifier(options);
  const logger = recordingLogger();
  const heard: Wakeup[] = [];
  const states: NotifierState[] = [];
  const presences: (string | null)[] = [];
  let sweeps = 0;
  await notifier.start({
    clock: systemClock,
    entropy: systemEntropy,
    logger,
    fallbackIntervalMs: 30_000,
    onWakeups: (wakeups) => void heard.push(...wakeups),
    onSweep: async () => void sweeps++,
    onStateChange: (state) => void states.push(state),
    onPresence: (presence) => void presences.push(presence),
    ...host,
  });
  afterwards(() => notifier.stop());
  const is = async (state: NotifierState, timeout = 10_000): Promise<void> => {
    await eventually(() => notifier.state === state, { timeout, interval: 1 });
  };
  return { notifier, logger, heard, states, presences, sweeps: () => sweeps, is };
}

/** Started and healthy, with its lock. */
export async function healthyNotifier(options: PgNotifierOptions, host: Partial<NotifierHost> = {}): Promise<Started> {
  const started = await startNotifier(options, host);
  await started.is('healthy');
  await eventually(() => started.notifier.presence !== null);
  return started;
}
