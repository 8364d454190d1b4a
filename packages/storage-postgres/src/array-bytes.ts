// Lists in the format that PostgreSQL itself sends and receives: nothing is quoted here, and nothing is looked for there.

/** One list of a call: the type of its items in the database, and what they are in each row. */
export type Column<T> =
  | readonly ['text' | 'json', (row: T) => string | null]
  | readonly ['integer' | 'float8', (row: T) => number | null]
  | readonly ['bigint', (row: T) => string | null]
  | readonly ['boolean', (row: T) => boolean | null];

/** The server compares it with the type that it expects. */
const typeIds = { boolean: 16, bigint: 20, integer: 23, text: 25, json: 114, float8: 701 } as const;

/** Before the items: dimensions, whether there are nulls (nobody heeds it), the type, the length, the index of the first. */
const headLength = 20;

/** Shorter ones are written sooner letter by letter than by a call. */
const shortText = 24;

const notAscii = /[^\0-\x7f]/;

/**
 * A one-dimensional array, for a parameter that is nothing else.
 * @throws RangeError for a number that is none of the type's.
 */
export function arrayBytes<T>(rows: readonly T[], column: Column<T>): Buffer {
  switch (column[0]) {
    case 'text':
    case 'json':
      return textBytes(typeIds[column[0]], valuesOf(rows, column[1]));
    case 'integer':
      return fixedBytes(typeIds.integer, 4, valuesOf(rows, column[1]), putInteger);
    case 'float8':
      return fixedBytes(typeIds.float8, 8, valuesOf(rows, column[1]), (bytes, at, value) => bytes.writeDoubleBE(value, at));
    case 'bigint':
      return fixedBytes(typeIds.bigint, 8, valuesOf(rows, column[1]), (bytes, at, value) =>
        bytes.writeBigInt64BE(BigInt(value), at),
      );
    case 'boolean':
      return fixedBytes(typeIds.boolean, 1, valuesOf(rows, column[1]), (bytes, at, value) => void (bytes[at] = value ? 1 : 0));
  }
}

function valuesOf<T, V>(rows: readonly T[], of: (row: T) => V): readonly V[] {
  const values: V[] = [];
  for (let index = 0; index < rows.length; index++) values.push(of(rows[index]!));
  return values;
}

function textBytes(typeId: number, texts: readonly (string | null)[]): Buffer {
  let length = headLength + 4 * texts.length;
  for (const text of texts) length += text?.length ?? 0;
  const bytes = withHead(typeId, texts.length, length);
  let at = headLength;
  for (const text of texts) {
    putInt32(bytes, at, text?.length ?? -1);
    at += 4;
    if (text === null) continue;
    // As a rule a character is a byte; where one is not, the list is longer than was thought.
    if (!putAscii(bytes, at, text)) return anyTextBytes(typeId, texts);
    at += text.length;
  }
  return bytes;
}

function putAscii(bytes: Buffer, at: number, text: string): boolean {
  if (text.length > shortText) {
    if (notAscii.test(text)) return false;
    bytes.write(text, at, 'latin1');
    return true;
  }
  let all = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    all |= code;
    bytes[at + index] = code;
  }
  return all <= 0x7f;
}

function anyTextBytes(typeId: number, texts: readonly (string | null)[]): Buffer {
  const lengths = texts.map((text) => (text === null ? -1 : Buffer.byteLength(text)));
  const length = lengths.reduce((sum, each) => sum + 4 + Math.max(0, each), headLength);
  const bytes = withHead(typeId, texts.length, length);
  let at = headLength;
  for (const [index, text] of texts.entries()) {
    putInt32(bytes, at, lengths[index]!);
    at += 4;
    if (text !== null) at += bytes.write(text, at);
  }
  return bytes;
}

function fixedBytes<V>(
  typeId: number,
  size: number,
  values: readonly (V | null)[],
  put: (bytes: Buffer, at: number, value: V) => void,
): Buffer {
  let length = headLength + 4 * values.length;
  for (const value of values) if (value !== null) length += size;
  const bytes = withHead(typeId, values.length, length);
  let at = headLength;
  for (const value of values) {
    putInt32(bytes, at, value === null ? -1 : size);
    at += 4;
    if (value === null) continue;
    put(bytes, at, value);
    at += size;
  }
  return bytes;
}

function withHead(typeId: number, count: number, length: number): Buffer {
  // An empty array has no dimension.
  if (count === 0) return withHead(typeId, 1, headLength).fill(0, 0, 4).subarray(0, 12);
  const bytes = Buffer.allocUnsafe(length);
  putInt32(bytes, 0, 1);
  putInt32(bytes, 4, 0);
  putInt32(bytes, 8, typeId);
  putInt32(bytes, 12, count);
  putInt32(bytes, 16, 1);
  return bytes;
}

function putInteger(bytes: Buffer, at: number, value: number): void {
  if (value !== (value | 0)) throw new RangeError(`${value} is no integer of four bytes`);
  putInt32(bytes, at, value);
}

function putInt32(bytes: Buffer, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}
