// The call of the function that commits a batch.
import { commitFunction } from './commit-function.js';
import type { CommitContent } from './commit-content.js';
import { parameterCount, parametersOf } from './commit-parameters.js';
import { callName, functionName } from './function-settings.js';
import type { Statement } from './sql.js';
import type { TableNames } from './table-names.js';

/** The call of the function: its text is made once, and its name as a prepared statement is that of no other text. */
export interface CommitCall {
  readonly name: string;
  /**
   * One row: whether the worker lives, the clock in milliseconds, and as JSON lists, or null, the ids of conflicts and of what was refused, and
   * messages that nobody got: of effects, and of ends.
   */
  of(batch: CommitContent): Statement;
}

export function createCommitCall(tables: TableNames): CommitCall {
  const parameters = Array.from({ length: parameterCount }, (_, index) => `$${index + 1}`).join(', ');
  const columns = 'alive, clock, conflicts, refused, undelivered, undelivered_at_end';
  const text = `SELECT ${columns} FROM ${functionName(tables, commitFunction)}(${parameters})`;
  return { name: callName(tables, commitFunction), of: (batch) => ({ text, values: parametersOf(batch) }) };
}
