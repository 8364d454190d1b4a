// What the functions of the schema are made with, and how they are called.
import { createHash } from 'node:crypto';
import { identifier } from './sql.js';
import type { TableNames } from './table-names.js';

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

/** The name of a function, with its schema before it. */
export function functionName({ schema }: TableNames, name: string): string {
  return `${identifier(schema)}.${name}`;
}

/**
 * Under which sessions keep the call of a function parsed: no longer than PostgreSQL takes, and that of no other text. The text names the schema; and another
 * version of this library, which a pooler may give the same session, may have another text for the function.
 */
export function callName(name: string, text: string): string {
  return `romancy_${name}_${createHash('sha256').update(text).digest('hex').slice(0, 16)}`;
}
