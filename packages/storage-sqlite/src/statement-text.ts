// Texts of statements that are made once.
import type { TableNames } from './table-names.js';

/** The text of a statement for one set of tables. */
export type StatementText = (tables: TableNames) => string;

/**
 * For the statements of every commit: a text that is put together anew each time has to be read from end to end before the prepared
 * statement of it is found.
 * @param make the text for one set of tables.
 */
export function statementText(make: StatementText): StatementText {
  const texts = new WeakMap<TableNames, string>();
  return (tables) => {
    let text = texts.get(tables);
    if (text === undefined) texts.set(tables, (text = make(tables)));
    return text;
  };
}
