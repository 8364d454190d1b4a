// Which instances belong into a list, beyond what an index can tell.
import type { InputFilter, InstanceStatus, ListRequest } from '@romancy/core/ports';
import { valueAt } from './json-place.js';

/** What is known of a row when it is scanned. */
export interface FilteredRow {
  readonly status: InstanceStatus;
  readonly instanceId: string;
  readonly workflowName: string;
  readonly input?: string;
}

export interface ListFilter {
  /** False: rows need not bring their input. */
  readonly needsInput: boolean;
  matches(row: FilteredRow): boolean;
}

/**
 * Compares here and not in SQL: the JSON functions of SQLite refuse what is nested deeper than 1,000 levels, make 1 of true, and its LIKE
 * folds ASCII letters alone.
 */
export function createListFilter({ status, workflowName, instanceId, input }: ListRequest): ListFilter {
  const [name, id] = [workflowName?.toLowerCase(), instanceId?.toLowerCase()];
  return {
    needsInput: input.length > 0,
    matches: (row) =>
      (status === undefined || status.includes(row.status)) &&
      (name === undefined || row.workflowName.toLowerCase().includes(name)) &&
      (id === undefined || row.instanceId.toLowerCase().includes(id)) &&
      (row.input === undefined || matchesInput(row.input, input)),
  };
}

function matchesInput(text: string, filters: readonly InputFilter[]): boolean {
  const root: unknown = JSON.parse(text);
  return filters.every(({ path, equals }) => valueAt(root, path) === equals);
}
