// The default codec: values as JSON that SQL can read, with tags for what JSON has no form for.
//
// Objects, arrays, strings, finite numbers, booleans and null are written as they are, members in their order. Everything else is
// an object with the member `$romancy`, which says what it stands for:
//
// | value                        | stored as                                                                                 |
// |------------------------------|-------------------------------------------------------------------------------------------|
// | undefined, also as a member  | {"$romancy":"undefined"}                                                                  |
// | NaN, Infinity, -Infinity, -0 | {"$romancy":"number","value":"NaN"}                                                       |
// | bigint                       | {"$romancy":"bigint","value":"12"}                                                        |
// | Date                         | {"$romancy":"Date","value":"2026-01-31T09:00:00.000Z"}; an invalid one: value null        |
// | Map                          | {"$romancy":"Map","value":[[key,value],...]}                                              |
// | Set                          | {"$romancy":"Set","value":[...]}                                                          |
// | Uint8Array, Buffer           | {"$romancy":"Uint8Array","value":base64}                                                  |
// | other typed arrays, DataView | the same with their name; the low byte of each element first                              |
// | ArrayBuffer                  | {"$romancy":"ArrayBuffer","value":base64}                                                 |
// | RegExp                       | {"$romancy":"RegExp","value":source,"flags":"gi"}; "lastIndex" when it is not 0           |
// | URL                          | {"$romancy":"URL","value":"https://..."}                                                  |
// | Error                        | {"$romancy":"Error","class":...,"extends":[...],"name":...,"message":...,"stack":...,     |
// |                              |   "cause":...,"errors":[...],"fields":{...},"omitted":[...]}                              |
// | a string with U+0000 or half | {"$romancy":"string","value":base64 of its UTF-16 units, low byte first}                  |
// |   of a surrogate pair        |                                                                                           |
// | an object with such a key    | {"$romancy":"object","value":[[key,value],...]}                                           |
// | the keys $romancy, $$romancy | with one more $ in front                                                                  |
//
// Of an error: `class` is the name of its class, left out for Error itself, with `romancy:` in front for the classes of this
// package; `extends` names the classes between it and Error, nearest first; `fields` are its own enumerable members; `cause` and
// `errors` (of an AggregateError) are there when it has them; `omitted` names the members that could not be written.
import type { Codec } from '../ports/codec.js';
import { createErrorRegistry, type RegisteredError } from './error-registry.js';
import { decodeText } from './json-codec-decode.js';
import { encodeTree } from './json-codec-encode.js';
import { plainJsonText } from './json-codec-plain.js';

export interface JsonCodecOptions {
  /**
   * Error classes that an error is to be of again after it was stored. Those of the language and of Romancy always are.
   * Default: none.
   */
  readonly errors?: readonly RegisteredError[];
}

/**
 * The codec that an app has by default. What it takes, it gives back equal:
 *
 * - Plain objects and arrays, strings of any content, numbers of any kind, booleans, null, undefined, bigint, Date, Map, Set,
 *   typed arrays, ArrayBuffer, RegExp, URL and errors, in each other to a depth of 1,000 levels of JSON.
 * - A Buffer comes back as Uint8Array, a hole in an array as undefined, an object without a prototype as one with it, and a value
 *   that is referred to twice as two values. Non-enumerable members, and named members of arrays, are left out.
 * - An error keeps its name, message, stack, cause and own enumerable members, and its class when that is built in, one of
 *   Romancy's, or given in `errors`; also when it is given only where the error is read. Otherwise it is of the nearest class above
 *   that is known (Error at last), and still knows its class when it is written again. Constructors are not called, and what a
 *   class keeps in `#private` members is lost: its methods that read them throw.
 * - A member of an error that cannot be written is left out, and named under `omitted`: a failure is not lost over it.
 *
 * Everything else is refused with PayloadNotSerializableError: functions, symbols, promises, cycles, and instances of all other
 * classes, also of those with a toJSON, since their class would be lost silently.
 * @throws ConfigurationError when `errors` has something other than an error class, or two of one name.
 */
export function createJsonCodec(options: JsonCodecOptions = {}): Codec {
  const registry = createErrorRegistry(options.errors ?? []);
  return Object.freeze({
    encode: (value: unknown) => plainJsonText(value) ?? encodeTree(value, registry),
    decode: (text: string) => decodeText(text, registry),
  });
}
