// Cuts what a PostgreSQL server says into its messages, and makes single ones.

/** One message of the server, whole: the letter of its kind, four bytes of length, and what it says. */
export interface BackendFrame {
  /** `A` NotificationResponse, `C` CommandComplete, `E` ErrorResponse, `R` Authentication, `Z` ReadyForQuery, … */
  readonly kind: string;
  readonly bytes: Buffer;
}

/** Gathers bytes as they come and gives back whole messages. Without TLS, which nobody asks for on the loopback interface. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);

  /** What has begun and is not complete yet. */
  get rest(): Buffer {
    return this.#rest;
  }

  /** @returns the messages that these bytes have completed, in order. */
  read(chunk: Buffer): BackendFrame[] {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const frames: BackendFrame[] = [];
    while (this.#rest.length >= 5) {
      const end = 1 + this.#rest.readInt32BE(1);
      if (this.#rest.length < end) break;
      frames.push({ kind: String.fromCharCode(this.#rest[0] ?? 0), bytes: this.#rest.subarray(0, end) });
      this.#rest = this.#rest.subarray(end);
    }
    return frames;
  }
}

/** What a server sends to who listens on a channel. */
export interface Notification {
  readonly pid: number;
  readonly channel: string;
  readonly payload: string;
}

/** What a NotificationResponse says; undefined for any other message. */
export function readNotification({ kind, bytes }: BackendFrame): Notification | undefined {
  if (kind !== 'A') return undefined;
  const [channel = '', payload = ''] = bytes.subarray(9).toString('utf8').split('\0');
  return { pid: bytes.readInt32BE(5), channel, payload };
}

/** A NotificationResponse that no server has sent. */
export function writeNotification({ pid, channel, payload }: Notification): Buffer {
  const text = Buffer.from(`${channel}\0${payload}\0`, 'utf8');
  const head = Buffer.alloc(9);
  head.write('A', 'latin1');
  head.writeInt32BE(8 + text.length, 1);
  head.writeInt32BE(pid, 5);
  return Buffer.concat([head, text]);
}

/** What a client says of itself when it connects (`application_name`, `user`, …); empty when that is not its first message. */
export function readStartup(bytes: Buffer): ReadonlyMap<string, string> {
  const protocol3 = 196_608;
  if (bytes.length < 8 || bytes.readInt32BE(4) >>> 16 !== protocol3 >>> 16) return new Map();
  const words = bytes.subarray(8, bytes.readInt32BE(0)).toString('utf8').split('\0');
  const pairs = Array.from(
    { length: Math.floor(words.length / 2) },
    (_, i) => [words[2 * i] ?? '', words[2 * i + 1] ?? ''] as const,
  );
  return new Map(pairs.filter(([name]) => name !== ''));
}
