// Opens an app on a database in memory, of which the test sees everything and can hold back or fail any call.
import { afterwards } from '@romancy/test-support';
import { Romancy, type RomancyOptions } from '../src/index.js';
import {
  createMemoryDatabase,
  createMemoryStorage,
  type ManualClock,
  recordingLogger,
  withFaults,
  type FaultPlan,
  type FaultyStorage,
  type MemoryDatabase,
  type RecordingLogger,
} from '../src/testing/index.js';

export interface MemoryAppOptions extends Omit<RomancyOptions, 'storage' | 'logger' | 'clock'> {
  /** What goes wrong with the calls of its storage. Default: nothing; it can be set later. */
  readonly plan?: FaultPlan;
  /** Default: one of its own. */
  readonly database?: MemoryDatabase;
  /** Default: time is real. */
  readonly clock?: ManualClock;
}

export interface MemoryApp {
  readonly romancy: Romancy;
  readonly database: MemoryDatabase;
  readonly storage: FaultyStorage;
  readonly logger: RecordingLogger;
}

/** Started; stopped when the test ends, within 200 ms and whatever became of it. */
export async function openMemoryApp({
  plan,
  database = createMemoryDatabase(),
  ...options
}: MemoryAppOptions): Promise<MemoryApp> {
  const storage = withFaults(createMemoryStorage({ database }), plan);
  const logger = recordingLogger();
  const romancy = new Romancy({ storage, logger, ...options });
  await romancy.start();
  afterwards(async () => {
    const stopped = romancy.stop({ timeout: 200 });
    // Where time is not real, it passes for the stop.
    await options.clock?.advance(200);
    await stopped;
  });
  return { romancy, database, storage, logger };
}
