// Paths into JSON as users write them: `a.b[0]["odd name"]`, with or without `$` or `$.` in front.

/** Member names and array indexes, from the root. */
export type JsonPath = readonly (string | number)[];

/** A value that a path can be compared with. */
export type JsonScalar = string | number | boolean | null;

/** What databases take as an index of an array. */
const highestIndex = 2 ** 31 - 1;

/** @returns undefined when it is no path. */
export function parseJsonPath(text: string): JsonPath | undefined {
  const path: (string | number)[] = [];
  let rest = text.replace(/^\$\.?/, '');
  while (rest.length > 0) {
    const index = /^\[(\d+)\]/.exec(rest);
    const quoted = /^\[("(?:[^"\\]|\\.)*")\]/.exec(rest);
    const name = (path.length === 0 ? /^([\w-]+)/ : /^\.([\w-]+)/).exec(rest);
    const found = index ?? quoted ?? name;
    const member = index !== null ? Number(index[1]) : quoted !== null ? unquoted(quoted[1]!) : name?.[1];
    if (found === null || member === undefined) return undefined;
    if (typeof member === 'string' ? unfit.test(member) : member > highestIndex) return undefined;
    path.push(member);
    rest = rest.slice(found[0].length);
  }
  return path;
}

export function isJsonScalar(value: unknown): value is JsonScalar {
  return (
    value === null ||
    typeof value === 'string' ||
    typeof value === 'boolean' ||
    (typeof value === 'number' && Number.isFinite(value))
  );
}

/** What is at that place; undefined when there is none. */
export function atJsonPath(value: unknown, path: JsonPath): unknown {
  let found = value;
  for (const member of path) {
    if (typeof found !== 'object' || found === null) return undefined;
    if (Array.isArray(found) !== (typeof member === 'number')) return undefined;
    if (!Object.hasOwn(found, member)) return undefined;
    found = (found as Record<string | number, unknown>)[member];
  }
  return found;
}

/** U+0000, which no database can hold, and halves of surrogate pairs. */
const unfit = /[\0\p{Cs}]/u;

/** The text of a JSON string; undefined when it is none. */
function unquoted(json: string): string | undefined {
  try {
    return JSON.parse(json) as string;
  } catch {
    return undefined;
  }
}
