// Opens both sides of a measurement on one place, and closes them again whatever happens.
import { Romancy, type AnyWorkflow } from '@romancy/core';
import type { Place } from './places/place.js';
import type { RawStore } from './raw/raw-store.js';

export interface Sides {
  readonly romancy: Romancy;
  readonly store: RawStore;
}

/**
 * Both sides are open all the time, each with tables of its own, and idle while the other one has its turn (an idle app asks its
 * database once a second). Romancy runs with the options that it has by itself, unless
 * more are to be under way than it would have in memory.
 */
export async function sideBySide<T>(
  place: Place,
  {
    label,
    workflows,
    connections,
    concurrency,
  }: {
    readonly label: string;
    readonly workflows: readonly AnyWorkflow[];
    /** Of code by hand. */
    readonly connections: number;
    /** How many runs Romancy may have in memory. Left out: as many as by itself. */
    readonly concurrency?: number;
  },
  work: (sides: Sides) => Promise<T>,
): Promise<T> {
  const romancy = new Romancy({
    storage: await place.createStorage(label),
    workflows,
    ...(concurrency === undefined ? {} : { concurrency }),
  });
  let store: RawStore | undefined;
  try {
    store = await place.openRaw(label, connections);
    await romancy.start();
    return await work({ romancy, store });
  } finally {
    await romancy.stop();
    await store?.close();
  }
}
