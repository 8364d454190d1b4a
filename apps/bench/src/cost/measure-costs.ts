// Counts every part of a workflow's life on one database, and what a process costs that has nothing to do.
import { Romancy, silentLogger, type RomancyOptions } from '@romancy/core';
import { ManualClock, seededEntropy } from '@romancy/core/testing';
import { median } from '../statistics.js';
import { closedLoop, makeInput, orderWorkflow } from '../workload.js';
import { readingBetween, type CostPlace, type CostReading } from './cost-place.js';
import { costScenarios, servedBy, type CostScenario, type CostStage } from './cost-scenarios.js';
import { costWorkflows, type CostWorkflows } from './cost-workflows.js';

/** One row of one database. */
export interface Cost extends CostReading {
  readonly what: string;
}

/** Nothing comes in between: no poll, no renewal of a lease, no look for dead processes. */
const nothingElse = {
  workflowPollInterval: '1h',
  timerPollInterval: '1h',
  channelTimeoutInterval: '1h',
  leaseDuration: '10h',
} as const;

const warmUps = 3;
/** So long nobody may ask anything until a part counts as over, in milliseconds: longer than anything that is gathered or put off. */
const quietMs = 12;

/** @param repeats of each part; what is told is the median of their numbers. */
export async function measureCosts(place: CostPlace, repeats = 9): Promise<readonly Cost[]> {
  const workflows = costWorkflows((ctx) => place.writeInTransaction(ctx));
  const costs: Cost[] = [];
  for (const outbox of [false, true]) {
    const storage = { ...(await place.createStorage(outbox ? 'with_outbox' : 'parts')), reapIntervalMs: 3_600_000 };
    const app = appOf({
      storage,
      workflows: [orderWorkflow, ...servedBy(workflows)],
      ...nothingElse,
      ...(outbox ? { outbox: { send: noWhere } } : {}),
    });
    try {
      await app.start();
      await fill(app);
      for (const scenario of costScenarios) {
        if ((scenario.outbox ?? false) === outbox) costs.push(await measure(place, scenario, { app, workflows, repeats }));
      }
    } finally {
      await app.stop();
    }
  }
  return [...costs, ...(await idleCosts(place, workflows))];
}

/** Indexes of a few rows would be one page each; these have several, as in life, and what is written falls on as many of them each time. */
async function fill(app: Romancy): Promise<void> {
  await closedLoop({ count: 1000, concurrency: 100 }, async () => {
    const run = await app.startWorkflow(orderWorkflow, makeInput());
    await run.result();
  });
}

async function measure(
  place: CostPlace,
  scenario: CostScenario,
  { app, workflows, repeats }: { readonly app: Romancy; readonly workflows: CostWorkflows; readonly repeats: number },
): Promise<Cost> {
  const readings: CostReading[] = [];
  const counted: CostStage['counted'] = async (part) => {
    await place.quiet(quietMs);
    const before = await place.read();
    await part();
    await place.quiet(quietMs);
    readings.push(readingBetween(before, await place.read()));
  };
  for (let count = 0; count < warmUps + repeats; count++) await scenario.once({ app, workflows, counted });
  return { what: scenario.what, ...typical(readings.slice(warmUps)) };
}

function typical(readings: readonly CostReading[]): CostReading {
  const of = (pick: (reading: CostReading) => number | null): number => median(readings.map((each) => pick(each) ?? 0));
  return {
    statements: of(({ statements }) => statements),
    commits: of(({ commits }) => commits),
    roundTrips: readings[0]!.roundTrips === null ? null : of(({ roundTrips }) => roundTrips),
    logBytes: of(({ logBytes }) => logBytes),
  };
}

const idleMinutes = 5;

const mostTries = 5;

/**
 * Where the machine is so busy that a note is not back within what passes for quiet, the notifier has waited in vain by this clock, and its app polls:
 * that is no idle minute, and it is measured anew.
 */
async function spentInMinutes(app: Romancy, place: CostPlace, clock: ManualClock): Promise<CostReading> {
  for (let tries = 0; tries < mostTries; tries++) {
    const was = app.status().notifier;
    const before = await place.read();
    await clock.advance(`${idleMinutes}m`);
    const spent = readingBetween(before, await place.read());
    const is = app.status().notifier;
    if (was === null || (was.state === 'healthy' && is?.state === 'healthy' && was.since === is.since)) return spent;
  }
  throw new Error(`the notifier was never healthy for ${idleMinutes} minutes`);
}

/** A minute by a clock that the measurement moves on, with the intervals that are there by themselves. */
async function idleCosts(place: CostPlace, workflows: CostWorkflows): Promise<readonly Cost[]> {
  const costs: Cost[] = [];
  for (const what of ['idle minute, without a notifier', 'idle minute, with one'] as const) {
    const isNotified = what === 'idle minute, with one';
    if (isNotified && place.createNotifier === null) continue;
    const label = isNotified ? 'idle_notified' : 'idle';
    const clock = new ManualClock({ now: Date.now(), settle: () => place.quiet(3) });
    const app = appOf({
      storage: await place.createStorage(label),
      workflows: servedBy(workflows),
      clock,
      entropy: seededEntropy(1),
      ...(isNotified ? { notifier: place.createNotifier!(label) } : {}),
    });
    try {
      await app.start();
      // Until all that follows from a start is over.
      await clock.advance('1m');
      const spent = await spentInMinutes(app, place, clock);
      const perMinute = (value: number): number => value / idleMinutes;
      costs.push({
        what,
        statements: perMinute(spent.statements),
        commits: perMinute(spent.commits),
        roundTrips: spent.roundTrips === null ? null : perMinute(spent.roundTrips),
        logBytes: perMinute(spent.logBytes),
      });
    } finally {
      await app.stop();
    }
  }
  return costs;
}

function appOf(options: Omit<RomancyOptions, 'logger'>): Romancy {
  return new Romancy({ ...options, logger: silentLogger });
}

const noWhere = (): Promise<void> => Promise.resolve();
