// Writes out a function of the schema.
import { bodyTag, functionName, functionSettings } from './function-settings.js';
import type { TableNames } from './table-names.js';

export interface FunctionParts {
  readonly name: string;
  /** As in SQL, names and types. No name may be that of a column which the body uses. */
  readonly parameters: string;
  /** As in SQL, with RETURNS; empty when there are OUT parameters. */
  readonly returns: string;
  readonly body: string;
}

/** One that is called from outside: its settings hold for all that it calls. */
export function createFunction(t: TableNames, parts: FunctionParts): string {
  return write(t, parts, functionSettings);
}

/** One that others call, under their settings: to set them anew for each call would cost more than many a body. */
export function createInnerFunction(t: TableNames, parts: FunctionParts): string {
  return write(t, parts, '');
}

function write(t: TableNames, { name, parameters, returns, body }: FunctionParts, settings: string): string {
  const tag = bodyTag(body);
  return `
CREATE FUNCTION ${functionName(t, name)}(${parameters}) ${returns} LANGUAGE plpgsql
${settings}
AS ${tag}${body}${tag}`;
}
