// Has PostgreSQL show how it carries out each statement that goes through a pool, and what that touched.
import type { PostgresClient, PostgresQuery } from '../src/index.js';
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

/**
 * From here on every statement with parameters is first carried out under EXPLAIN and undone, then carried out. Planned as in real
 * life: without a name, for its parameters.
 */
export function explainAll(watched: WatchedPool, currentStep: () => string): StatementPlan[] {
  const plans: StatementPlan[] = [];
  const inTransaction = new WeakSet<PostgresClient>();
  watched.intercept(async (query, send, client) => {
    if (query.text.startsWith('BEGIN')) inTransaction.add(client);
    if (/^(COMMIT|ROLLBACK)/.test(query.text)) inTransaction.delete(client);
    if (query.values !== undefined && !query.text.startsWith('INSERT INTO "romancy"."migrations"')) {
      const undone = inTransaction.has(client) ? ['SAVEPOINT plan', 'ROLLBACK TO SAVEPOINT plan'] : ['BEGIN', 'ROLLBACK'];
      await client.query({ text: undone[0]! });
      plans.push({ step: currentStep(), ...(await explain(client, query)) });
      await client.query({ text: undone[1]! });
    }
    return send();
  });
  return plans;
}

async function explain(client: PostgresClient, query: PostgresQuery): Promise<Omit<StatementPlan, 'step'>> {
  const text = `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${query.text}`;
  const { rows } = await client.query({ text, values: [...(query.values ?? [])] });
  const [explained] = (rows[0] as { readonly 'QUERY PLAN': readonly Explained[] })['QUERY PLAN'];
  const nodes = [...walk(explained!.Plan)];
  return {
    text: query.text,
    scanned: nodes.filter((node) => node['Node Type'] === 'Seq Scan').map((node) => node['Relation Name']!),
    wasted: nodes.reduce((sum, node) => sum + wastedRows(node), 0),
    pages: explained!.Plan['Shared Hit Blocks'] + explained!.Plan['Shared Read Blocks'],
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
