// A worker: a process that runs the workflows, and sends the events of the outbox. There may be any number, and any of them may die.
import { NotRunningError, Romancy, type Hooks } from '@romancy/core';
import { createHttpEventSender } from '@romancy/http';
import { createActivities } from './activities.js';
import { readSettings, sayReady, sendReport, untilToldToEnd } from './child-side.js';
import { createDailyReport } from './daily-report.js';
import { openDatabase, type DatabaseChoice } from './database.js';
import { createParcelClient } from './parcel-client.js';
import { createPaymentClient } from './payment-client.js';
import { refusals } from './refusals.js';
import { createOrderWorkflow } from './workflow.js';

export interface WorkerSettings {
  readonly database: DatabaseChoice;
  readonly paymentsUrl: string;
  readonly parcelsUrl: string;
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

const { database, paymentsUrl, parcelsUrl, concurrency, tellResumptions } = readSettings<WorkerSettings>();
const { app, stock } = openDatabase(database);
const activities = createActivities({
  stock,
  payments: createPaymentClient(paymentsUrl),
  parcels: createParcelClient(parcelsUrl),
});

const romancy: Romancy = new Romancy({
  ...app,
  workflows: [createOrderWorkflow(activities), createDailyReport(activities)],
  // So that a CardDeclined that comes back from the database is one.
  errors: refusals,
  // What `ship` has written into the outbox goes to the parcel service until that has taken it.
  outbox: {
    send: createHttpEventSender({ url: `${parcelsUrl}/events`, timeout: '5s' }),
    retry: { firstDelay: '100ms', maxDelay: '1s' },
  },
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

/** The booking of a parcel is the step that follows a settlement. */
function resumptionHooks(): Hooks {
  return {
    onActivityStart({ instanceId, activityName }) {
      const at = process.hrtime.bigint().toString();
      if (activityName !== activities.bookParcel.name) return;
      sendReport({ instanceId, at, notifier: romancy.status().notifier?.state ?? null } satisfies Resumption);
    },
  };
}
