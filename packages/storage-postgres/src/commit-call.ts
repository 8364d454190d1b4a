// The calls of the functions that commit a batch.
import { readAnswer, readRunsAnswer, type CommitAnswer } from './commit-answer.js';
import { commitFunction } from './commit-function.js';
import type { CommitContent } from './commit-content.js';
import { isRunsOnly, parameterCount, parametersOf, runsParameterCount, runsParametersOf } from './commit-parameters.js';
import { commitRunsFunction } from './commit-runs-function.js';
import type { Row } from './row.js';
import { callName, functionName } from './function-settings.js';
import type { SqlValue, Statement } from './sql.js';
import type { TableNames } from './table-names.js';

/** The call of a function: its text is made once, and its name as a prepared statement is that of no other text. */
export interface CommitCall {
  readonly name: string;
  /** Gives one row. */
  of(batch: CommitContent): Statement;
  /** Null: the worker is not alive. */
  read(row: Row): CommitAnswer | null;
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
    select: (called) => `SELECT alive, clock, conflicts, refused, undelivered, undelivered_at_end, handed FROM ${called}`,
    count: parameterCount,
    parametersOf,
    read: readAnswer,
  });
  const runsOnly = createCall(tables, {
    name: commitRunsFunction,
    select: (called) => `SELECT ${called}`,
    count: runsParameterCount,
    parametersOf: runsParametersOf,
    read: readRunsAnswer,
  });
  return { any, runsOnly, of: (batch) => (isRunsOnly(batch) ? runsOnly : any) };
}

interface Called {
  readonly name: string;
  /** The statement, of the function with its parameters. */
  readonly select: (called: string) => string;
  readonly count: number;
  readonly parametersOf: (batch: CommitContent) => readonly SqlValue[];
  readonly read: CommitCall['read'];
}

function createCall(tables: TableNames, { name, select, count, parametersOf: valuesOf, read }: Called): CommitCall {
  const parameters = Array.from({ length: count }, (_, index) => `$${index + 1}`).join(', ');
  const text = select(`${functionName(tables, name)}(${parameters})`);
  return { name: callName(name, text), of: (batch) => ({ text, values: valuesOf(batch) }), read };
}
