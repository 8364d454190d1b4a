// Reads notes straight from the bytes that a listening session gets, before its driver does.
import type { ChannelNames, NoteKind } from './channel-names.js';
import { readNote, type Heard } from './decode-note.js';
import { ResumableBytes } from './resumable-bytes.js';

/** NotificationResponse. */
const notification = 'A'.charCodeAt(0);
/** The letter of a message, and its length, which counts itself. */
const headBytes = 5;
const lengthBytes = 4;
/** Then the server process that sent it, before the name of the channel. */
const channelAt = headBytes + 4;

export interface NoteStreamParts {
  readonly channels: ChannelNames;
  /** The server process that sends for this process alone; null: not known, and no note is taken for this process's own. */
  readonly ownProcessId: () => number | null;
  /** What a note says that somebody else has sent, or a nonce of anybody. */
  readonly onNote: (heard: Heard) => void;
  /** So many notes that this process has sent itself were in one chunk. They are not read. */
  readonly onOwn: (count: number) => void;
}

const nothing = new Uint8Array(0);

/** A channel, and its name as it stands in a message. */
interface Named {
  readonly kind: NoteKind;
  readonly name: Uint8Array;
}

/** So long is no note: PostgreSQL takes payloads of less than 8,000 bytes, and names of 63. */
const longestNote = 8192;

/**
 * Of one session, from a point on at which a message begins. The driver makes a dozen objects and calls of each note, and a busy process hears
 * itself most. A note that is not whole within its chunk waits here for the rest, so that notes keep their order. To the driver goes what is no note,
 * notes for channels of others or that do not end as they should, and all that follows where the lengths make no sense.
 */
export class NoteStream {
  readonly #parts: NoteStreamParts;
  /** What was heard last comes first, for it is what is heard next most often. */
  readonly #named: Named[];
  readonly #resumable = new ResumableBytes();
  /** So many bytes of a message of the driver's are still to come. */
  #rest = 0;
  /** The beginning of a note, or of a message of which not even the length has come. */
  #begun: Uint8Array = nothing;

  constructor(parts: NoteStreamParts) {
    this.#parts = parts;
    this.#named = Object.entries(parts.channels).map(([kind, name]) => ({
      kind: kind as NoteKind,
      name: Buffer.from(`${name}\0`),
    }));
  }

  /** @returns what is left of the chunk for the driver, in its order. */
  sift(bytes: Uint8Array): readonly Uint8Array[] {
    const chunk = this.#joined(bytes);
    const own = this.#parts.ownProcessId();
    const left: Uint8Array[] = [];
    let at = this.#rest;
    let leftFrom = 0;
    let ownCount = 0;
    while (at + headBytes <= chunk.length) {
      const length = lengthAt(chunk, at + 1);
      const end = at + 1 + length;
      const isNote = chunk[at] === notification && length <= longestNote && length > channelAt;
      // No message is that short: this is not the beginning of one. From here on, all is the driver's.
      if (length < lengthBytes) at = Number.POSITIVE_INFINITY;
      else if (isNote && end > chunk.length) break;
      else {
        const isOwn = isNote && own !== null && lengthAt(chunk, at + headBytes) === own;
        const read = isNote ? this.#read(chunk, at + channelAt, { end, isOwn }) : 'left';
        if (read !== 'left') {
          if (at > leftFrom) left.push(chunk.subarray(leftFrom, at));
          leftFrom = end;
          if (read === 'own') ownCount++;
        }
        at = end;
      }
    }
    this.#rest = Math.max(0, at - chunk.length);
    // Copied: the chunk is as large as all that came with it.
    this.#begun = at < chunk.length ? Uint8Array.prototype.slice.call(chunk, at) : nothing;
    if (ownCount > 0) this.#parts.onOwn(ownCount);
    if (leftFrom === 0 && chunk === bytes && at >= chunk.length) return [bytes];
    const leftTo = Math.min(at, chunk.length);
    if (leftFrom < leftTo) left.push(chunk.subarray(leftFrom, leftTo));
    return left;
  }

  #joined(bytes: Uint8Array): Buffer {
    if (this.#begun.length > 0) return Buffer.concat([this.#begun, bytes]);
    return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** One note, from the name of its channel on. */
  #read(
    chunk: Buffer,
    nameAt: number,
    { end, isOwn }: { readonly end: number; readonly isOwn: boolean },
  ): 'left' | 'own' | 'read' {
    const named = this.#channelAt(chunk, nameAt, end);
    // Also own ones that nobody of this version sends: of other channels they are somebody's who has the same session.
    if (named === null) return isOwn ? 'own' : 'left';
    const { kind, name } = named;
    if (isOwn && kind !== 'ping') return 'own';
    const from = nameAt + name.length;
    let heard: Heard = kind === 'workflow_resumable' ? this.#resumable.read(chunk, from, end - 1) : null;
    if (heard === null || chunk[end - 1] !== 0) {
      if (chunk.indexOf(0, from) !== end - 1) return 'left';
      const payload = chunk.toString('utf8', from, end - 1);
      heard = readNote(kind, payload);
      if (heard?.kind === 'workflow_resumable') this.#resumable.learn(payload, heard);
    }
    this.#parts.onNote(heard);
    return 'read';
  }

  #channelAt(chunk: Uint8Array, at: number, end: number): Named | null {
    const all = this.#named;
    for (let index = 0; index < all.length; index++) {
      const named = all[index]!;
      if (at + named.name.length < end && isAt(chunk, at, named.name)) {
        if (index > 0) {
          all[index] = all[0]!;
          all[0] = named;
        }
        return named;
      }
    }
    return null;
  }
}

/** Backwards: names begin alike, and differ at once in how they end. */
function isAt(chunk: Uint8Array, at: number, name: Uint8Array): boolean {
  for (let index = name.length - 1; index >= 0; index--) if (chunk[at + index] !== name[index]) return false;
  return true;
}

/** Four bytes, the high one first. Beyond 2 GiB it is negative, as no length is. */
function lengthAt(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}
