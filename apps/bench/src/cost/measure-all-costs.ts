// Counts on both databases, one after the other.
import type { CostPlace } from './cost-place.js';
import type { CostSide } from './cost-table.js';
import { measureCosts } from './measure-costs.js';
import { openPostgresCostPlace } from './postgres-cost-place.js';
import { openSqliteCostPlace } from './sqlite-cost-place.js';

/** On a PostgreSQL server of its own, and on SQLite. */
export async function measureAllCosts(): Promise<readonly CostSide[]> {
  return [await measured(openPostgresCostPlace), await measured(openSqliteCostPlace)];
}

async function measured(open: () => Promise<CostPlace>): Promise<CostSide> {
  const place = await open();
  try {
    return { title: place.title, costs: await measureCosts(place) };
  } finally {
    await place.close();
  }
}
