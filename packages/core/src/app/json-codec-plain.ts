// The fast path of the codec: values that are plain JSON already, found out without touching a string.
import { deepestNesting, tagKey } from './json-codec-format.js';

/**
 * The value as JSON text when nothing in it needs a tag; else undefined, and the slow path tells what it is.
 *
 * The structure is looked at in JavaScript, the strings in the finished text: JSON.stringify writes U+0000 as `\u0000` and lone
 * surrogates as `\ud8xx`, and a member that looks like the tag shows as `$romancy":`. A text that only seems to contain one of
 * them (a literal backslash before a `u`) takes the slow path for nothing, and comes out right.
 */
export function plainJsonText(value: unknown): string | undefined {
  try {
    if (!isPlain(value, deepestNesting)) return undefined;
    const text = JSON.stringify(value);
    return (text.includes('\\u') && unstorable.test(text)) || text.includes(tagMember) ? undefined : text;
  } catch {
    // A getter that throws, or a text longer than a string can be: the slow path meets it again and knows the place.
    return undefined;
  }
}

const unstorable = /\\u(?:0000|d[89a-f])/;
const tagMember = `${tagKey}":`;

function isPlain(value: unknown, room: number): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      // Not NaN, not infinite, not -0.
      return value - value === 0 && (value !== 0 || 1 / value > 0);
    case 'object':
      // A cycle ends here too: it uses up the room.
      return value === null || (room > 0 && (Array.isArray(value) ? isPlainArray(value, room) : isPlainObject(value, room)));
    default:
      return false;
  }
}

function isPlainArray(value: readonly unknown[], room: number): boolean {
  if (Object.getPrototypeOf(value) !== Array.prototype || (value as Jsonable).toJSON !== undefined) return false;
  // By index and not for-of: a hole must show as undefined, and this is the faster one.
  for (let index = 0; index < value.length; index++) {
    const item = value[index];
    if (typeof item !== 'string' && !isPlain(item, room - 1)) return false;
  }
  return true;
}

function isPlainObject(value: object, room: number): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  if ((prototype !== Object.prototype && prototype !== null) || (value as Jsonable).toJSON !== undefined) return false;
  if (Object.getOwnPropertySymbols(value).length > 0) return false;
  // Inherited members come by here as well; they could only send the value to the slow path, which does not take them for its own.
  for (const key in value) {
    const member = (value as Readonly<Record<string, unknown>>)[key];
    if (typeof member !== 'string' && !isPlain(member, room - 1)) return false;
  }
  return true;
}

type Jsonable = { readonly toJSON?: unknown };
