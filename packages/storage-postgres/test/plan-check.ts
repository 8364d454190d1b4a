// Carries out a working day on a piled-up database, and says what was not on an index.
import { createDatabase } from '@romancy/test-support';
import pg from 'pg';
import { explainAll, type StatementPlan } from './explained-plans.js';
import { hotSteps, pileUp, type Amounts } from './hot-steps.js';
import { openStorage } from './open-storage.js';
import { watchedPool } from './watched-pool.js';

/**
 * What the planner knows of the tables: nothing; what they were when they were nearly empty, with all plans that sessions keep made then;
 * what they are. The first two are the hours after an app's first start and after a burst: plans must not wait for ANALYZE to become good.
 */
export type Knowledge = 'none' | 'of empty tables' | 'up to date';

/** The workers' table is as small as the fleet, that of starts as small as the code; both are read from end to end when that is cheaper. */
const smallTables = new Set(['workers', 'migrations', 'event_starts']);
const mostWasted = 200;
const mostPages = 3000;

export interface PlanReport {
  readonly plans: readonly StatementPlan[];
  /** In words, one line each. */
  readonly complaints: readonly string[];
}

export async function checkPlans(amounts: Amounts, knowledge: Knowledge): Promise<PlanReport> {
  const { url } = await createDatabase();
  const watched = watchedPool(url, 3);
  const storage = await openStorage({ pool: watched.pool });
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const tables = [
    ...['instances', 'history', 'mailbox', 'subscriptions', 'seen_events', 'workers'],
    ...['channels', 'queued_messages', 'group_members', 'outbox'],
  ];
  for (const table of tables) await client.query(`ALTER TABLE romancy.${table} SET (autovacuum_enabled = false)`);
  if (knowledge === 'of empty tables') {
    await pileUp(url, { finished: 100, waiting: 100 });
    await client.query('VACUUM ANALYZE');
    await hotSteps(storage, () => undefined);
    for (const table of tables) await client.query(`DELETE FROM romancy.${table}`);
  }
  await pileUp(url, amounts);
  if (knowledge === 'up to date') await client.query('VACUUM ANALYZE');
  await client.end();

  let step = '';
  const plans = explainAll(watched, () => step);
  await hotSteps(storage, (name) => (step = name));
  watched.intercept(undefined);
  const complaints = plans.flatMap((plan) => {
    const scanned = plan.scanned.filter((table) => !smallTables.has(table));
    const found = [
      ...scanned.map((table) => `reads all of ${table}`),
      ...(plan.wasted > mostWasted ? [`looks at ${plan.wasted} rows for nothing`] : []),
      ...(plan.pages > mostPages ? [`touches ${plan.pages} pages`] : []),
    ];
    return found.map((complaint) => `${plan.step}: ${complaint}`);
  });
  return { plans, complaints };
}
