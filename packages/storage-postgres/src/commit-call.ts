// The calls of the functions that commit a batch.
import { commitFunction } from './commit-function.js';
import type { CommitContent } from './commit-content.js';
import { isRunsOnly, parameterCount, parametersOf, runsParameterCount, runsParametersOf } from './commit-parameters.js';
import { commitRunsFunction } from './commit-runs-function.js';
import { callName, functionName } from './function-settings.js';
import type { SqlValue, Statement } from './sql.js';
import type { TableNames } from './table-names.js';

/** The call of a function: its text is made once, and its name as a prepared statement is that of no other text. */
export interface CommitCall {
  readonly name: string;
  /**
   * One row: whether the worker lives, the clock in milliseconds, and as JSON lists, or null, the ids of conflicts and of what was refused,
   * messages that nobody got, of effects and of ends, and to whom messages of queues came.
   */
  of(batch: CommitContent): Statement;
}

export interface CommitCalls {
  /** Takes everything, also what is there already. */
  readonly any: CommitCall;
  /** For what {@link isRunsOnly}. It fails with a violation of uniqueness where an entry is there already. */
  readonly runsOnly: CommitCall;
  /** The one that is made first. */
  of(batch: CommitContent): CommitCall;
}

export function createCommitCalls(tables: TableNames): CommitCalls {
  const any = createCall(tables, {
    name: commitFunction,
    columns: 'alive, clock, conflicts, refused, undelivered, undelivered_at_end, handed',
    count: parameterCount,
    parametersOf,
  });
  const runsOnly = createCall(tables, {
    name: commitRunsFunction,
    columns: 'alive, clock, conflicts, refused, NULL, NULL, handed',
    count: runsParameterCount,
    parametersOf: runsParametersOf,
  });
  return { any, runsOnly, of: (batch) => (isRunsOnly(batch) ? runsOnly : any) };
}

interface Called {
  readonly name: string;
  readonly columns: string;
  readonly count: number;
  readonly parametersOf: (batch: CommitContent) => readonly SqlValue[];
}

function createCall(tables: TableNames, { name, columns, count, parametersOf: valuesOf }: Called): CommitCall {
  const parameters = Array.from({ length: count }, (_, index) => `$${index + 1}`).join(', ');
  const text = `SELECT ${columns} FROM ${functionName(tables, name)}(${parameters})`;
  return { name: callName(name, text), of: (batch) => ({ text, values: valuesOf(batch) }) };
}
