// What the functions of the schema are made with.

/**
 * They hold for a function alone. One plan per statement and session, made at the first call: it must be right for tables of every size,
 * so the planner is left no plan that reads a table from end to end. And names are those of this schema and of PostgreSQL, whatever the
 * session's search_path says.
 */
export const functionSettings = `SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_mergejoin = off SET jit = off
SET search_path = pg_catalog`;

/** Quotes for a body: names of the schema are in it, and may have any characters. */
export function bodyTag(body: string): string {
  let tag = '$body$';
  while (body.includes(tag)) tag = `$_${tag.slice(1)}`;
  return tag;
}
