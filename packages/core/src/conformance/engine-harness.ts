// One test's database: starts apps on it, lets them crash, lets time pass, and clears all away at the end.
import { expect, onTestFinished, type TestContext } from 'vitest';
import { Romancy, type Duration, type InstanceStatus, type Notifier, type RomancyOptions, type Storage } from '../index.js';
import { durationMs } from '../domain/duration.js';
import { isFinal } from '../domain/instance.js';
import { ManualClock, recordingLogger, type FaultyStorage, type RecordingLogger } from '../testing/index.js';
import type {
  EngineFixture,
  EngineFixtureFactory,
  EngineOptionalPart,
  ResolvedEngineOptions,
  UserRows,
} from './engine-fixture.js';
import { mortal, type MortalStorage } from './engine-mortal-storage.js';

/** Gives a running test its harness. */
export interface EngineBench {
  readonly options: ResolvedEngineOptions;
  harness(): Promise<EngineHarness>;
}

export function createEngineBench(factory: EngineFixtureFactory, options: ResolvedEngineOptions): EngineBench {
  return {
    options,
    async harness() {
      const harness = new EngineHarness(await factory());
      onTestFinished(() => harness.close());
      return harness;
    },
  };
}

/** An app under test, with what it runs on. */
export interface TestApp {
  readonly romancy: Romancy;
  /** Its storage; counts, and makes calls fail where a test plans it. */
  readonly storage: FaultyStorage;
  readonly logger: RecordingLogger;
  /** Lets its process die: no call of its storage is answered or takes effect any more, and nobody stops it. */
  crash(): void;
}

/** Leases that run out soon, for tests that wait for it in real time. */
export const shortLease = { leaseDuration: '2s' } as const;

type Truthy<T> = Exclude<T, false | 0 | '' | null | undefined>;

const roundsUntilLate = 20_000;

export class EngineHarness {
  readonly fixture: EngineFixture;
  /** Undefined where the database has a clock of its own. */
  readonly clock: ManualClock | undefined;
  readonly #apps: {
    readonly app: TestApp;
    readonly within: Storage;
    readonly storage: MortalStorage;
    /** Of the harness, not of the test. */
    readonly notifier: Notifier | undefined;
  }[] = [];

  constructor(fixture: EngineFixture) {
    this.fixture = fixture;
    this.clock = fixture.manualTime ? new ManualClock() : undefined;
  }

  /** A started app with a storage of its own. */
  async app(options: Partial<RomancyOptions> = {}): Promise<TestApp> {
    const app = this.unstarted(options);
    await this.drive(app.romancy.start());
    if (this.fixture.isNotified === true) await this.until(() => app.romancy.status().notifier?.state === 'healthy');
    return app;
  }

  /** An app that nobody has started. */
  unstarted(options: Partial<RomancyOptions> = {}): TestApp {
    const within = this.fixture.storage();
    const mortalStorage = mortal(within);
    const { storage } = mortalStorage;
    const logger = recordingLogger();
    const notifier = this.fixture.isNotified === true ? this.fixture.notifier?.() : undefined;
    const romancy = new Romancy({
      storage,
      logger,
      ...(notifier === undefined ? {} : { notifier, notifyFallbackInterval: '1h' }),
      // Where time is real, nobody wants to wait for polls; where it is not, what is shown is what polls at the usual pace do.
      ...(this.clock === undefined
        ? { workflowPollInterval: 25, timerPollInterval: 25, channelTimeoutInterval: 25 }
        : { clock: this.clock }),
      ...options,
    });
    const app: TestApp = { romancy, storage, logger, crash: () => mortalStorage.die() };
    this.#apps.push({ app, within, storage: mortalStorage, notifier });
    return app;
  }

  /** One of two durations: how long something takes where time is in the test's hand, or where it is real. */
  span(manual: Duration, real: Duration): Duration {
    return this.clock === undefined ? real : manual;
  }

  /** Lets so much time pass, in one leap, where time is in the test's hand. Elsewhere it passes by itself. */
  async leap(duration: Duration): Promise<void> {
    await this.clock?.jump(durationMs(duration, 'duration'));
  }

  /** Waits for a promise, and lets time pass meanwhile: in small steps, or in leaps of that length with small steps in between. */
  async drive<T>(promise: Promise<T>, leap?: Duration): Promise<T> {
    if (this.clock === undefined) return await promise;
    let over = false;
    const ended = (): void => {
      over = true;
    };
    promise.then(ended, ended);
    for (let round = 0; !over && round < roundsUntilLate; round++) {
      await this.tick();
      if (leap !== undefined && round % 5 === 4) await this.leap(leap);
    }
    if (!over) throw new Error('what was waited for did not come within the time that a test may take');
    return await promise;
  }

  /** Lets a moment pass. */
  async tick(): Promise<void> {
    if (this.clock === undefined) await new Promise((resolve) => setTimeout(resolve, 2));
    else await this.clock.advance(10);
  }

  /** Looks until what is seen is truthy, and gives that. */
  async until<T>(look: () => T | Promise<T>): Promise<Truthy<T>> {
    for (let round = 0; round < roundsUntilLate; round++) {
      const seen = await look();
      if (seen) return seen as Truthy<T>;
      await this.tick();
    }
    throw new Error(`did not come true: ${look.toString()}`);
  }

  /** Waits until the instance has that status, as seen by this app; where time is real, it may have gone past it and ended. */
  async untilStatus(app: TestApp, instanceId: string, status: InstanceStatus): Promise<void> {
    await this.until(async () => {
      const seen = (await app.romancy.get(instanceId))?.status;
      return seen === status || (this.clock === undefined && seen !== undefined && isFinal(seen));
    });
  }

  /** Waits until the instance is put away, and not due yet; where time is real, it may have gone past it and ended. */
  async untilAsleep(app: TestApp, instanceId: string): Promise<void> {
    await this.until(async () => {
      const seen = await app.romancy.get(instanceId);
      if (seen === undefined) return false;
      if (this.clock === undefined && isFinal(seen.status)) return true;
      return seen.status.startsWith('waiting') && (seen.wakeAt === null || seen.wakeAt.getTime() > (this.clock?.now() ?? 0));
    });
  }

  /** Does to an app that crashed what a reaper does when its lease has run out, without the wait. */
  async bury(app: TestApp, by: TestApp): Promise<void> {
    const { wakeups } = await by.storage.leases.retire({ workerId: app.romancy.status().workerId });
    // A reaper tells others; the notifier of the one that crashed carries it to all of them.
    this.#apps.find((each) => each.app === app)?.notifier?.send(wakeups);
  }

  /** Waits for a rejection and gives what came. */
  async failure(promise: Promise<unknown>): Promise<unknown> {
    const outcome = await this.drive(
      promise.then(
        (value) => ({ value }),
        (error: unknown) => ({ error }),
      ),
    );
    expect(outcome, 'it was to fail').toHaveProperty('error');
    return (outcome as { readonly error: unknown }).error;
  }

  /** The clock in the test's hand; ends the test as skipped where there is none, with the reason that is given. */
  manualClock(context: TestContext, reason: string): ManualClock {
    return this.clock ?? context.skip(reason);
  }

  /** The fixture's rows; ends the test as skipped where there are none. */
  rows(context: TestContext): UserRows {
    this.require(context, 'rows', this.fixture.rows !== undefined);
    return this.fixture.rows!;
  }

  /** Ends the test as skipped when the fixture lacks a part, with the reason that the fixture gives. */
  require(context: TestContext, part: EngineOptionalPart, present: boolean): void {
    if (!present) context.skip(this.fixture.skip?.[part] ?? `the fixture has no ${part} and gives no reason for it`);
  }

  async close(): Promise<void> {
    const stopped = await Promise.allSettled(
      this.#apps.map(async ({ app, within, storage }) => {
        if (storage.isDead) return await within.close();
        app.storage.plan = {};
        app.storage.setDown(false);
        await this.drive(app.romancy.stop({ timeout: '2s' }));
      }),
    );
    await this.fixture.cleanup();
    for (const result of stopped) if (result.status === 'rejected') throw result.reason;
  }
}
