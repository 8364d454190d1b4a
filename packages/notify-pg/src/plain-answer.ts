// What a server answers to a kept statement that went well, told from everything else by its bytes.

const [closed, parsed, bound, row, done, ready] = ['3', '1', '2', 'D', 'C', 'Z'].map((letter) => letter.charCodeAt(0));
/** The letter of a message, and its length, which counts itself. */
const headBytes = 5;
/** The last message: that the session is ready, and how it stands with transactions. */
const readyBytes = 6;

/**
 * Of an answer that says nothing but that all was done, the last message, which is all that the driver needs of it: after quiet each message costs it
 * tens of microseconds, in which it hears nothing. Null: there is more to it, or it is not whole.
 */
export function endOfPlainAnswer(chunk: Uint8Array): Uint8Array | null {
  const last = chunk.length - readyBytes;
  if (last < headBytes || chunk[last] !== ready || lengthAt(chunk, last + 1) !== readyBytes - 1) return null;
  let at = 0;
  while (at < last) {
    const letter = chunk[at];
    if (letter !== bound && letter !== row && letter !== done && letter !== parsed && letter !== closed) return null;
    const length = lengthAt(chunk, at + 1);
    if (length < 4) return null;
    at += 1 + length;
  }
  return at === last ? chunk.subarray(last) : null;
}

/** Four bytes, the high one first. Beyond 2 GiB it is negative, as no length is. */
function lengthAt(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}
