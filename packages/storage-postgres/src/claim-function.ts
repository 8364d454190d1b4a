// The function in the database that claims what is due, and its call.
import type { ClaimRequest } from '@romancy/core/ports';
import { claimColumns, claimQuery } from './claim-statement.js';
import { createFunction } from './create-function.js';
import { callName, functionName } from './function-settings.js';
import { raw, sql, type Statement } from './sql.js';
import type { TableNames } from './table-names.js';

/*
 * For the claim that is made as a rule: with room, and nothing lost. A function for the reason for which commits are one (see
 * commit-function.ts): to plan the statement anew took twice as long as to carry it out, and a claim stands between every wake-up from
 * another process and the next line of the workflow. The other claims (without room, after a lost answer) are as rare as they are varied,
 * and remain statements.
 */

const name = 'claim_runs_1';

/** To be put into a migration. */
export function createClaimFunction(t: TableNames): string {
  const query = claimQuery(t, {
    worker: raw('claimant'),
    workflows: raw('workflows'),
    limit: raw('room'),
    entries: raw('most_entries'),
    mail: raw('most_mail'),
    holding: null,
    takesDue: true,
  });
  const columns = ['tag', ...Array.from({ length: claimColumns }, (_, index) => `c${index + 1}`)].map(
    (column) => `${column} text`,
  );
  return createFunction(t, {
    name,
    parameters: 'claimant text, workflows text[], room bigint, most_entries bigint, most_mail bigint',
    returns: `RETURNS TABLE (${columns.join(', ')})`,
    body: `\nBEGIN\n  RETURN QUERY ${query.text};\nEND\n`,
  });
}

/** The call of the function, and the name under which sessions keep it parsed. */
export interface ClaimCall {
  readonly name: string;
  of(request: ClaimRequest): Statement;
}

export function createClaimCall(tables: TableNames): ClaimCall {
  const called = raw(functionName(tables, name));
  return {
    name: callName(tables, name),
    of: ({ workerId, workflowNames, limit, historyLimit, mailLimit }) =>
      sql`SELECT * FROM ${called}(${workerId}, ${[...new Set(workflowNames)]}, ${limit}, ${historyLimit + 1}, ${mailLimit})`,
  };
}
