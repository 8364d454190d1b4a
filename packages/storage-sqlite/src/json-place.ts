// Places inside of JSON values.

/** Member names of objects and indexes of arrays, from the root. */
export type JsonPath = readonly (string | number)[];

/** What is at that place; undefined when there is no such place, which is equal to nothing, null neither. */
export function valueAt(root: unknown, path: JsonPath): unknown {
  return path.reduce(member, root);
}

/** Members of objects by strings, of arrays by numbers; own ones alone, since JSON knows of no prototype. */
function member(value: unknown, key: string | number): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value) !== (typeof key === 'number')) return undefined;
  return Object.hasOwn(value, key) ? (value as Readonly<Record<string | number, unknown>>)[key] : undefined;
}
