// What a storage is given when tests open it.
import type { StorageContext } from '@romancy/core/ports';

export const context: StorageContext = {
  clock: { now: () => Date.now(), monotonic: () => performance.now(), schedule: () => () => undefined },
  logger: { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined },
};
