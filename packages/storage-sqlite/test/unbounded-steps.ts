// Finds in query plans what grows with the database.
import type { Plan } from './hot-statements.js';

/**
 * Allowed: a search in an index or by row number; the tables of workers and of migrations; the values of a list that was given; the rows
 * of a subquery, whose own steps are in the plan as well; a scan by an index that holds the order asked for (the list: it stops at its
 * limit); a sort of the few instances that run.
 */
const allowed = [
  /^SEARCH /,
  /^SCAN romancy_(workers|migrations)/,
  /^SCAN json_each/,
  /^SCAN i USING (COVERING )?INDEX romancy_instances_newest/,
];
const harmless = [
  /^(LIST|SCALAR) SUBQUERY/,
  /^(CO-ROUTINE|SCAN) \(subquery-/,
  /^SCAN CONSTANT ROW/,
  /^CORRELATED/,
  /^CREATE BLOOM FILTER/,
  /^USING INDEX/,
];

export function unboundedSteps(plans: readonly Plan[]): readonly string[] {
  return plans.flatMap(({ sql, steps }) =>
    steps
      .filter((step) => ![...allowed, ...harmless].some((pattern) => pattern.test(step)))
      .concat(steps.filter((step) => isTooBroad(sql, step)))
      .filter((step) => !(step.startsWith('USE TEMP B-TREE FOR') && sql.includes('romancy_instances_owned_or_ended')))
      .map((step) => `${step}: ${sql}`),
  );
}

/** Ten thousand may be subscribed to one topic, and relayers may have as many events. */
function isTooBroad(sql: string, step: string): boolean {
  if (/^SEARCH romancy_subscriptions .*\(topic=\?\)$/.test(step)) return !sql.endsWith('LIMIT 1');
  return /^SEARCH romancy_outbox .*\(owner>\?\)$/.test(step);
}
