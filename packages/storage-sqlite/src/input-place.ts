// Where the input of an instance lies: in its row, or, if it is long, apart.
import type { SqliteConnection } from './sqlite-connection.js';
import { statementText } from './statement-text.js';
import type { TableNames } from './table-names.js';

/**
 * In UTF-16 units. A row that changes often should be small, since each change writes all of it; but a change writes the whole page to the log
 * at any rate, and of a short input apart that would be one page more with each start.
 */
const longestInRow = 500;

const insert = statementText(({ inputs }) => `INSERT INTO ${inputs} (id, input) VALUES (?, ?)`);

/** What the row itself holds: the input, or null for one that is apart. */
export function inputInRow(input: string): string | null {
  return input.length <= longestInRow ? input : null;
}

/** Behind a row that was written with {@link inputInRow}: keeps an input that is apart. */
export function keepInput(
  connection: SqliteConnection,
  tables: TableNames,
  row: { readonly id: number; readonly input: string },
): void {
  if (inputInRow(row.input) === null) connection.run(insert(tables), row.id, row.input);
}

/** The input, as an expression in SQL. @param instance the name by which the statement knows the row. */
export function inputOf({ inputs }: TableNames, instance: string): string {
  return `ifnull(${instance}.input, (SELECT p.input FROM ${inputs} p WHERE p.id = ${instance}.id))`;
}
