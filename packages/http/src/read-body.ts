// Reads the body of a request, and never more of it than is allowed.
import { HttpFailure } from './http-failure.js';
import type { Reservation } from './pending-bytes.js';

/**
 * @throws HttpFailure: too large (also by what Content-Length says, before anything is read; that it says less is not believed), no room
 * left, encoded, cut off, or too slow.
 */
export async function readBody(
  request: Request,
  limits: { readonly maxBodyBytes: number; readonly reservation: Reservation; readonly timeoutMs: number | null },
): Promise<Uint8Array> {
  const { maxBodyBytes, reservation, timeoutMs } = limits;
  const encoding = request.headers.get('content-encoding');
  if (encoding !== null && encoding.toLowerCase() !== 'identity') {
    throw new HttpFailure('UNSUPPORTED_MEDIA_TYPE', 'bodies with a Content-Encoding are not taken; send it as it is');
  }
  if (Number(request.headers.get('content-length') ?? 0) > maxBodyBytes) throw tooLarge(maxBodyBytes);
  // Somebody before us has read it, and what is left of it would be taken for all of it.
  if (request.bodyUsed) throw new Error('the body of the request was read before the handler got it');
  if (request.body === null) return new Uint8Array();

  const reader = request.body.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  let isLate = false;
  // A cancelled reader ends its pending read as if the body had ended.
  const giveUp = (): void => {
    isLate = true;
    void reader.cancel(tooSlow()).catch(() => undefined);
  };
  const timer = timeoutMs === null ? undefined : setTimeout(giveUp, timeoutMs);
  try {
    return await readAll(reader, { maxBodyBytes, reservation, isLate: () => isLate });
  } finally {
    clearTimeout(timer);
  }
}

async function readAll(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  limits: { readonly maxBodyBytes: number; readonly reservation: Reservation; readonly isLate: () => boolean },
): Promise<Uint8Array> {
  const { maxBodyBytes, reservation, isLate } = limits;
  const chunks: Uint8Array[] = [];
  let total = 0;
  for (;;) {
    const chunk = await reader.read().catch(() => {
      throw new HttpFailure('INVALID_REQUEST', 'the body ended before its time');
    });
    if (isLate()) throw tooSlow();
    if (chunk.done) return joined(chunks, total);
    total += chunk.value.byteLength;
    const failure =
      total > maxBodyBytes ? tooLarge(maxBodyBytes) : reservation.grow(chunk.value.byteLength) ? null : overloaded();
    if (failure !== null) {
      // Not waited for: nobody knows how long a source takes to hear of it.
      void reader.cancel(failure).catch(() => undefined);
      throw failure;
    }
    chunks.push(chunk.value);
  }
}

export function overloaded(): HttpFailure {
  return new HttpFailure('OVERLOADED', 'too much is waiting for the storage already');
}

function tooSlow(): HttpFailure {
  return new HttpFailure('REQUEST_TIMEOUT', 'the body did not come in time');
}

function tooLarge(limit: number): HttpFailure {
  return new HttpFailure('PAYLOAD_TOO_LARGE', `the body is larger than ${limit} bytes`);
}

function joined(chunks: readonly Uint8Array[], total: number): Uint8Array {
  if (chunks.length === 1) return chunks[0]!;
  const bytes = new Uint8Array(total);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}
