// The body of a request of Node as a stream of the web platform.
import type { IncomingMessage } from 'node:http';

/** What is discarded of a body at most, in bytes, before the connection is cut. */
const mostDiscarded = 16 * 1024 * 1024;

/** Those of which nobody wants the rest. */
const discarded = new WeakSet<IncomingMessage>();

/** Reads from the connection only when it is read itself: what nobody asks for stays with the sender. */
export function requestBody(req: IncomingMessage): ReadableStream<Uint8Array> {
  let isOver = false;
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const end = (settle: () => void) => () => {
          if (isOver) return;
          isOver = true;
          settle();
        };
        req.on('data', (chunk: Buffer) => {
          if (isOver || discarded.has(req)) return;
          controller.enqueue(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));
          if ((controller.desiredSize ?? 0) <= 0) req.pause();
        });
        req.once(
          'end',
          end(() => controller.close()),
        );
        // Also after 'end', and then it is over: a body that is cut off has no 'end'.
        req.once(
          'close',
          end(() => controller.error(new Error('the connection ended within the body'))),
        );
        req.pause();
      },
      pull() {
        req.resume();
      },
      cancel() {
        isOver = true;
      },
    },
    { highWaterMark: 0 },
  );
}

/**
 * Reads what is left of a body and throws it away: a sender that is still writing would not read its answer, and one that keeps the
 * connection could not use it again. Too much is no mistake any more, and the connection is cut.
 */
export function discardRest(req: IncomingMessage): void {
  if (req.readableEnded || req.destroyed) return;
  discarded.add(req);
  let left = mostDiscarded;
  req.on('data', (chunk: Buffer) => {
    left -= chunk.byteLength;
    if (left < 0) req.destroy();
  });
  req.resume();
}
