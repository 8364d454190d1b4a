// Stands between the socket of a session and the driver that reads from it.
import type { Clock } from '@romancy/core/ports';
import type { PgStream } from './pg-client.js';

/** So long what has arrived is read in one turn of the event loop; the rest waits for the next one. */
const turnMs = 10;

/** So many bytes are read without looking at the clock: what a quiet session hears is not worth it. */
const fewBytes = 16_384;

/** `listener`: of one that listens once. */
type Reader = ((chunk: Uint8Array) => void) & { readonly listener?: unknown };

/**
 * What the driver throws while it reads, because a line carries bytes that no server sends, would be an uncaught error and end the process. Here it
 * is `onError`'s. And a crowd of notes does not keep the process from everything else: Node hands over two megabytes in one turn if
 * it may. A stream without these members stays as it is.
 */
export function guardStream(
  stream: PgStream,
  {
    clock,
    onError,
    sift = (chunk) => [chunk],
  }: {
    readonly clock: Clock;
    readonly onError: (error: Error) => void;
    /** What of a chunk is for the reader, piece by piece. Default: all of it. */
    readonly sift?: (chunk: Uint8Array) => readonly Uint8Array[];
  },
): void {
  if (stream.rawListeners === undefined || stream.off === undefined || stream.on === undefined) return;
  let turnEnds: number | null = null;
  let unmeasured = 0;
  const nextTurn = (): void => {
    turnEnds = null;
    unmeasured = 0;
    stream.resume?.();
  };
  // One that listens once, as for the server's word on TLS, goes by itself, and the stream with it.
  const readers = (stream.rawListeners('data') as Reader[]).filter(({ listener }) => listener === undefined);
  if (readers.length === 0) return;
  for (const reader of readers) stream.off('data', reader);
  stream.on('data', (chunk) => {
    unmeasured += chunk.length;
    if (turnEnds === null && unmeasured > fewBytes) {
      turnEnds = clock.monotonic() + turnMs;
      // Timers come between this and what is read then.
      setImmediate(nextTurn);
    }
    try {
      // Once, however many read: who sifts keeps in mind where in the stream he is.
      for (const piece of sift(chunk)) for (const read of readers) read(piece);
    } catch (error) {
      onError(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    if (turnEnds !== null && clock.monotonic() > turnEnds) stream.pause?.();
  });
}
