// A notifier without an app, as the measurements of notes themselves need it.
import { randomUUID } from 'node:crypto';
import { silentLogger, type Notifier } from '@romancy/core';
import type { NotifierHost } from '@romancy/core/ports';
import { createPgNotifier, type PgNotifierOptions } from '@romancy/notify-pg';
import { until } from '../pause.js';

const systemParts = {
  clock: {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    schedule(delayMs, callback, options) {
      const timer = setTimeout(callback, Math.ceil(delayMs));
      if (options?.keepAlive !== true) timer.unref();
      return () => clearTimeout(timer);
    },
  },
  entropy: { random: () => Math.random(), uuid: () => randomUUID() },
  logger: silentLogger,
} as const satisfies Pick<NotifierHost, 'clock' | 'entropy' | 'logger'>;

/** Starts one; resolves when it is healthy. Whoever asks for it stops it. */
export async function healthyNotifier(options: PgNotifierOptions, host: Partial<NotifierHost> = {}): Promise<Notifier> {
  const notifier = createPgNotifier(options);
  await notifier.start({
    ...systemParts,
    fallbackIntervalMs: 30_000,
    onWakeups: () => undefined,
    onSweep: async () => undefined,
    onStateChange: () => undefined,
    onPresence: () => undefined,
    ...host,
  });
  try {
    await until('a healthy notifier', () => notifier.state === 'healthy');
    return notifier;
  } catch (error) {
    await notifier.stop();
    throw error;
  }
}
