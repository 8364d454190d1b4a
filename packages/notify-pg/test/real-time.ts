// Clock and entropy of the system, for notifiers that are started without an app.
import { randomUUID } from 'node:crypto';
import type { Clock, Entropy } from '@romancy/core/ports';

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  schedule(delayMs, callback, options) {
    const timer = setTimeout(callback, Math.ceil(delayMs));
    if (options?.keepAlive !== true) timer.unref();
    return () => clearTimeout(timer);
  },
};

export const systemEntropy: Entropy = { random: () => Math.random(), uuid: () => randomUUID() };
