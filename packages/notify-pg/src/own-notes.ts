// Takes a process's own notes out of what its listening session hears, before the driver reads them.

/** NotificationResponse. */
const notification = 'A'.charCodeAt(0);
/** The letter of a message, and its length, which counts itself. */
const headBytes = 5;
const lengthBytes = 4;
/** Then the server process that sent it, before the name of the channel. */
const channelAt = headBytes + 4;

export interface OwnNotesParts {
  /** The server process that sends for this process alone; null: not known, and nothing is taken out. */
  readonly ownProcessId: () => number | null;
  /** The channel of nonces, which are to be heard. */
  readonly pingChannel: string;
  /** So many were taken out of one chunk. */
  readonly onOwn: (count: number) => void;
}

/**
 * Of one session, from a point on at which a message begins. A busy process hears itself most, and the driver makes a dozen objects and calls of
 * each note. Whatever is not whole within its chunk is left to the driver, as is all that follows where the lengths make no sense.
 */
export class OwnNotes {
  readonly #parts: OwnNotesParts;
  /** What stands behind the process in a nonce: its channel, and the end of the name. */
  readonly #ping: Uint8Array;
  /** So many bytes of a message that began in an earlier chunk are still to come. */
  #rest = 0;
  /** The beginning of a message of which not even the length has come. */
  #head: number[] = [];

  constructor(parts: OwnNotesParts) {
    this.#parts = parts;
    this.#ping = Buffer.from(`${parts.pingChannel}\0`);
  }

  /** @returns what is left of the chunk for the driver, in its order. */
  sift(chunk: Uint8Array): readonly Uint8Array[] {
    let at = this.#begun(chunk);
    const own = this.#parts.ownProcessId();
    const left: Uint8Array[] = [];
    let leftFrom = 0;
    let count = 0;
    while (at + headBytes <= chunk.length) {
      const end = at + 1 + lengthAt(chunk, at + 1);
      // No message is that short: this is not the beginning of one. From here on, all is the driver's.
      if (end < at + headBytes) at = Number.POSITIVE_INFINITY;
      else {
        if (chunk[at] === notification && end <= chunk.length && own !== null && this.#isOwn(chunk, at, own)) {
          if (at > leftFrom) left.push(chunk.subarray(leftFrom, at));
          leftFrom = end;
          count++;
        }
        at = end;
      }
    }
    if (at < chunk.length) this.#head.push(...chunk.subarray(at));
    else this.#rest = at - chunk.length;
    if (count === 0) return [chunk];
    this.#parts.onOwn(count);
    if (leftFrom < chunk.length) left.push(chunk.subarray(leftFrom));
    return left;
  }

  /** Where in this chunk the first message begins: behind what belongs to one that began before. */
  #begun(chunk: Uint8Array): number {
    if (this.#head.length > 0) {
      const missing = headBytes - this.#head.length;
      const before = this.#head.length;
      this.#head.push(...chunk.subarray(0, missing));
      if (this.#head.length < headBytes) return chunk.length;
      const length = lengthAt(Uint8Array.from(this.#head), 1);
      this.#head = [];
      return length < lengthBytes ? Number.POSITIVE_INFINITY : 1 + length - before;
    }
    const at = this.#rest;
    this.#rest = 0;
    return at;
  }

  #isOwn(chunk: Uint8Array, at: number, own: number): boolean {
    if (lengthAt(chunk, at + headBytes) !== own) return false;
    const ping = this.#ping;
    // Most often the names differ at once in where they end.
    if (chunk[at + channelAt + ping.length - 1] !== 0) return true;
    for (let index = 0; index < ping.length; index++) if (chunk[at + channelAt + index] !== ping[index]) return true;
    return false;
  }
}

/** Four bytes, the high one first. Beyond 2 GiB it is negative, as no length is. */
function lengthAt(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}
