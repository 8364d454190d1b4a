// Typed arrays as bytes and back: the low byte of each element first, on every machine.

const arrays: ReadonlyMap<string, TypedArrayClass> = new Map(
  [
    'Int8Array',
    'Uint8Array',
    'Uint8ClampedArray',
    'Int16Array',
    'Uint16Array',
    'Int32Array',
    'Uint32Array',
    'Float16Array',
    'Float32Array',
    'Float64Array',
    'BigInt64Array',
    'BigUint64Array',
  ].flatMap((name) => {
    // Not every version of Node has all of them.
    const array = (globalThis as Readonly<Record<string, unknown>>)[name];
    return typeof array === 'function' ? [[name, array as unknown as TypedArrayClass] as const] : [];
  }),
);

interface TypedArrayClass {
  new (buffer: ArrayBuffer): ArrayBufferView;
  readonly BYTES_PER_ELEMENT: number;
}

const lowByteFirst = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** The bytes that a typed array or DataView shows; `name` is its class. */
export function bytesOfView(view: ArrayBufferView, name: string): Buffer {
  const bytes = Buffer.from(view.buffer, view.byteOffset, view.byteLength);
  return lowByteFirst ? bytes : swapped(bytes, arrays.get(name)?.BYTES_PER_ELEMENT ?? 1);
}

/** A typed array or DataView over memory of its own; undefined when there is no such class. */
export function viewOfBytes(name: string, bytes: Buffer): ArrayBufferView | undefined {
  if (name === 'DataView') return new DataView(bufferOfBytes(bytes));
  const array = arrays.get(name);
  if (array === undefined) return undefined;
  return new array(bufferOfBytes(lowByteFirst ? bytes : swapped(bytes, array.BYTES_PER_ELEMENT)));
}

/** A copy: small Buffers are pieces of one large ArrayBuffer that they share with others. */
export function bufferOfBytes(bytes: Buffer): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}

/** A copy in which the bytes of each element stand the other way round. */
export function swapped(bytes: Uint8Array, elementSize: number): Buffer {
  const copy = Buffer.from(bytes);
  for (let start = 0; start < copy.length; start += elementSize) copy.subarray(start, start + elementSize).reverse();
  return copy;
}
