// Turns values into payloads that fit, and payloads into values.
import { PayloadTooLargeError } from '../domain/errors.js';
import type { Codec } from '../ports/codec.js';

/**
 * The JSON text of a value.
 * @throws PayloadNotSerializableError, PayloadTooLargeError naming `what`.
 */
export function encodePayload(
  value: unknown,
  what: string,
  limits: { readonly codec: Codec; readonly maxPayloadBytes: number },
): string {
  const text = limits.codec.encode(value);
  // A UTF-16 unit takes one to three bytes: only texts in between need counting.
  if (text.length > limits.maxPayloadBytes || text.length * 3 > limits.maxPayloadBytes) {
    const bytes = Buffer.byteLength(text);
    if (bytes > limits.maxPayloadBytes) throw new PayloadTooLargeError({ what, bytes, limit: limits.maxPayloadBytes });
  }
  return text;
}
