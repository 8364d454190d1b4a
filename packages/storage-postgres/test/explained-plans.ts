// Has PostgreSQL show how it carries out each statement that goes through a pool, and those within functions, and what that touched.
import type pg from 'pg';
import type { PostgresClient } from '../src/index.js';
import type { WatchedPool } from './watched-pool.js';

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Rows Removed by Index Recheck'?: number;
  readonly 'Actual Loops'?: number;
  readonly Plans?: readonly PlanNode[];
}

interface Explained {
  readonly 'Query Text': string;
  readonly Plan: PlanNode & { readonly 'Shared Hit Blocks': number; readonly 'Shared Read Blocks': number };
}

export interface StatementPlan {
  /** What was being done. */
  readonly step: string;
  readonly text: string;
  /** Tables that were read from end to end. */
  readonly scanned: readonly string[];
  /** Rows that were looked at for nothing. */
  readonly wasted: number;
  /** Pages that were touched, planning not counted. */
  readonly pages: number;
}

/** The plan that was really used is told by the server itself, as a notice to the session. */
const tellPlans = `
  LOAD 'auto_explain';
  SET auto_explain.log_min_duration = 0;
  SET auto_explain.log_analyze = on;
  SET auto_explain.log_buffers = on;
  SET auto_explain.log_timing = off;
  SET auto_explain.log_nested_statements = on;
  SET auto_explain.log_format = json;
  SET auto_explain.log_level = notice`;

/** From here on the plan of every statement is collected. The user of the database must be allowed to load `auto_explain`. */
export function explainAll(watched: WatchedPool, currentStep: () => string): StatementPlan[] {
  const plans: StatementPlan[] = [];
  const told = new WeakSet<PostgresClient>();
  watched.intercept(async (_query, send, client) => {
    if (!told.has(client)) {
      told.add(client);
      await client.query({ text: tellPlans });
      (client as unknown as pg.PoolClient).on('notice', ({ message }) => {
        const json = message?.indexOf('{') ?? -1;
        if (message?.startsWith('duration:') && json > 0) {
          plans.push({ step: currentStep(), ...read(JSON.parse(message.slice(json)) as Explained) });
        }
      });
    }
    return send();
  });
  return plans;
}

function read({ Plan: plan, 'Query Text': text }: Explained): Omit<StatementPlan, 'step'> {
  const nodes = [...walk(plan)];
  return {
    text,
    scanned: nodes.filter((node) => node['Node Type'] === 'Seq Scan').map((node) => node['Relation Name']!),
    wasted: nodes.reduce((sum, node) => sum + wastedRows(node), 0),
    pages: plan['Shared Hit Blocks'] + plan['Shared Read Blocks'],
  };
}

function wastedRows(node: PlanNode): number {
  if (node['Relation Name'] === undefined) return 0;
  const removed = (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0);
  return removed * (node['Actual Loops'] ?? 1);
}

function* walk(node: PlanNode): Generator<PlanNode> {
  yield node;
  for (const child of node.Plans ?? []) yield* walk(child);
}
