// Turns values into payloads that fit.
import { PayloadNotSerializableError, PayloadTooLargeError } from '../domain/errors.js';
import type { Codec } from '../ports/codec.js';

export interface PayloadLimits {
  readonly codec: Codec;
  /** The largest JSON text, in bytes of UTF-8. */
  readonly maxPayloadBytes: number;
}

/**
 * The JSON text of a value.
 * @throws PayloadNotSerializableError, PayloadTooLargeError naming `what`.
 */
export function encodePayload(value: unknown, what: string, limits: PayloadLimits): string {
  const text = encodeNaming(value, what, limits.codec);
  // A UTF-16 unit takes one to three bytes: only a text that could be too large needs counting.
  if (text.length * 3 > limits.maxPayloadBytes) {
    const bytes = Buffer.byteLength(text);
    if (bytes > limits.maxPayloadBytes) throw new PayloadTooLargeError({ what, bytes, limit: limits.maxPayloadBytes });
  }
  return text;
}

/** The codec knows where in the value something is wrong; whose value it is, it does not. */
function encodeNaming(value: unknown, what: string, codec: Codec): string {
  try {
    return codec.encode(value);
  } catch (error) {
    if (!(error instanceof PayloadNotSerializableError)) throw error;
    throw new PayloadNotSerializableError(`${what}: ${error.message}`, { path: error.path });
  }
}
