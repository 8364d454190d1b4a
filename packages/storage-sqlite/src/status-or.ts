// The status of what goes on, as SQL.

/** `status`, an expression in SQL; of an instance that undoes what it completed, `compensating`, whoever owns it. */
export function statusOr(status: string): string {
  return `CASE WHEN compensating = 1 THEN 'compensating' ELSE ${status} END`;
}
