// A statement that a session keeps parsed under a name, and the bytes that have it done with other values each time.

/** Letters of the protocol's messages. */
const [close, parse, bind] = ['C', 'P', 'B'].map((letter) => letter.charCodeAt(0)) as [number, number, number];

/** Behind the values: results in the default format; then Execute, of all rows, and Sync. */
const tail = Buffer.from([0, 0, 0x45, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0x53, 0, 0, 0, 4]);
/** Of it, what belongs to the message of the values. */
const tailOfBind = 2;

export interface KeptStatement {
  readonly name: string;
  readonly text: string;
  /** The first of its values, which are always these. */
  readonly given: readonly string[];
  /** For a session that does not know it yet, or not any more: forgets what had the name, and parses it. */
  readonly parsing: Uint8Array;
  /** Behind the letter and the length of Bind, up to the first value that changes. No word on formats: all are text. */
  readonly head: Uint8Array;
}

export interface StatementText {
  readonly name: string;
  readonly text: string;
  /** How many values it takes in all. */
  readonly parameters: number;
}

export function keptStatement({ name, text, parameters }: StatementText, given: readonly string[] = []): KeptStatement {
  return {
    name,
    text,
    given,
    parsing: Buffer.concat([
      message(close, Buffer.from(`S${name}\0`)),
      // No word on the types of the parameters.
      message(parse, Buffer.concat([Buffer.from(`${name}\0${text}\0`), int16(0)])),
    ]),
    head: Buffer.concat([Buffer.from(`\0${name}\0`), int16(0), int16(parameters), ...given.map(valueBytes)]),
  };
}

/**
 * Bind, Execute and Sync in one piece: made in few steps, for after quiet each of them takes microseconds, and nothing is on its way before.
 * @param scratch memory that nobody reads any more, for what fits into it.
 */
export function executing(
  { parsing, head }: KeptStatement,
  values: readonly string[],
  { isParsed, scratch }: { readonly isParsed: boolean; readonly scratch: Buffer | null },
): Uint8Array {
  const from = isParsed ? 0 : parsing.length;
  const fixed = from + 5 + head.length + tail.length;
  let most = fixed;
  // No character takes more than three bytes.
  for (const value of values) most += 4 + 3 * value.length;
  const isSmall = scratch !== null && most <= scratch.length;
  const bytes = isSmall ? scratch : Buffer.allocUnsafe(values.reduce((sum, value) => sum + 4 + Buffer.byteLength(value), fixed));
  if (!isParsed) bytes.set(parsing, 0);
  bytes[from] = bind;
  let at = from + 5;
  bytes.set(head, at);
  at += head.length;
  for (const value of values) {
    const length = bytes.write(value, at + 4);
    writeInt32(bytes, at, length);
    at += 4 + length;
  }
  writeInt32(bytes, from + 1, at + tailOfBind - from - 1);
  bytes.set(tail, at);
  at += tail.length;
  return isSmall ? bytes.subarray(0, at) : bytes;
}

function valueBytes(value: string): Buffer {
  const text = Buffer.from(value);
  const bytes = Buffer.alloc(4 + text.length);
  writeInt32(bytes, 0, text.length);
  bytes.set(text, 4);
  return bytes;
}

function message(letter: number, body: Uint8Array): Buffer {
  const bytes = Buffer.alloc(5 + body.length);
  bytes[0] = letter;
  writeInt32(bytes, 1, 4 + body.length);
  bytes.set(body, 5);
  return bytes;
}

function int16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff]);
}

function writeInt32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}
