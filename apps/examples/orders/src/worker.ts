// A worker: a process that runs the workflows of orders. There may be any number of them, and any of them may die.
import { NotRunningError, Romancy } from '@romancy/core';
import { createActivities } from './activities.js';
import { readSettings, sayReady, untilToldToEnd } from './child-side.js';
import { openDatabase, type DatabaseChoice } from './database.js';
import { CardDeclined, createPaymentClient } from './payment-client.js';
import { createOrderWorkflow } from './workflow.js';

export interface WorkerSettings {
  readonly database: DatabaseChoice;
  readonly paymentsUrl: string;
}

const { database, paymentsUrl } = readSettings<WorkerSettings>();
const { storage, stock } = openDatabase(database);
const activities = createActivities({ stock, payments: createPaymentClient(paymentsUrl) });

const romancy = new Romancy({
  storage,
  workflows: [createOrderWorkflow(activities)],
  // So that a CardDeclined that comes back from the database is one.
  errors: [CardDeclined],
  serviceName: 'orders-worker',
  concurrency: 20,
  // Settlements come in through another process, and without a notifier it is polling that finds them.
  workflowPollInterval: '100ms',
  // When this process dies, others take over its orders after that time at the latest.
  leaseDuration: '3s',
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
