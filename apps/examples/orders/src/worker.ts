// A worker: a process that runs the workflows of orders. There may be any number of them, and any of them may die.
import { NotRunningError, Romancy, type Hooks } from '@romancy/core';
import { createActivities } from './activities.js';
import { readSettings, sayReady, sendReport, untilToldToEnd } from './child-side.js';
import { openDatabase, type DatabaseChoice } from './database.js';
import { CardDeclined, createPaymentClient } from './payment-client.js';
import { createOrderWorkflow } from './workflow.js';

export interface WorkerSettings {
  readonly database: DatabaseChoice;
  readonly paymentsUrl: string;
  /** How many orders it has in memory at a time; those that wait are not. */
  readonly concurrency: number;
  /** Whether it tells its parent of each order that goes on after its settlement. */
  readonly tellResumptions: boolean;
}

/** An order begins the step behind its settlement. */
export interface Resumption {
  readonly instanceId: string;
  /** `process.hrtime` in nanoseconds: one clock for all processes of a machine. */
  readonly at: string;
  /** What this process's notifier was doing; null: there is none. */
  readonly notifier: string | null;
}

const { database, paymentsUrl, concurrency, tellResumptions } = readSettings<WorkerSettings>();
const { app, stock } = openDatabase(database);
const activities = createActivities({ stock, payments: createPaymentClient(paymentsUrl) });

const romancy: Romancy = new Romancy({
  ...app,
  workflows: [createOrderWorkflow(activities)],
  // So that a CardDeclined that comes back from the database is one.
  errors: [CardDeclined],
  serviceName: 'orders-worker',
  concurrency,
  // When this process dies, others take over its orders after that time at the latest.
  leaseDuration: '3s',
  hooks: tellResumptions ? resumptionHooks() : {},
});

// Before and after the start alike: what runs is handed to other workers.
const ended = untilToldToEnd().then(async () => {
  await romancy.stop({ timeout: '5s' });
  await stock.close();
});
try {
  await romancy.start();
  sayReady({ workerId: romancy.status().workerId });
} catch (error) {
  if (!(error instanceof NotRunningError)) throw error; // told to end while it started
}
await ended;

/** Shipping and releasing are the two steps that may follow a settlement. */
function resumptionHooks(): Hooks {
  return {
    onActivityStart({ instanceId, activityName }) {
      const at = process.hrtime.bigint().toString();
      if (activityName !== activities.ship.name && activityName !== activities.release.name) return;
      sendReport({ instanceId, at, notifier: romancy.status().notifier?.state ?? null } satisfies Resumption);
    },
  };
}
