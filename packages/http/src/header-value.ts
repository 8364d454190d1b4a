// Attribute values in HTTP headers: the percent-encoding of the HTTP protocol binding 1.0.2, section 3.1.3.2.
import { decodeUtf8 } from './utf8.js';

/** Space, double quote, percent, and everything outside of printable ASCII becomes `%XY` for each byte of its UTF-8. */
export function encodeHeaderValue(value: string): string {
  return value.replace(/[^\x21\x23\x24\x26-\x7e]+/gu, (run) =>
    Array.from(new TextEncoder().encode(run), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );
}

/**
 * Quotes are taken off first, then `%XY` is a byte, once. Runtimes show each byte of a header as one character, so that a value somebody
 * sent as plain UTF-8 is read as well. A percent sign without two digits stands for itself.
 * @returns undefined when the bytes are no UTF-8.
 */
export function decodeHeaderValue(header: string): string | undefined {
  const text = unquoted(header);
  const bytes = new Uint8Array(text.length);
  let length = 0;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit > 0xff) return undefined;
    const digits = unit === 0x25 ? text.slice(index + 1, index + 3) : '';
    const isEncoded = /^[0-9A-Fa-f]{2}$/.test(digits);
    bytes[length++] = isEncoded ? Number.parseInt(digits, 16) : unit;
    if (isEncoded) index += 2;
  }
  return decodeUtf8(bytes.subarray(0, length), { keepMark: true });
}

/** Older senders write `"a value"` with backslashes before quotes, as RFC 7230, section 3.2.6 has it. */
function unquoted(header: string): string {
  return /^"(?:[^"\\]|\\.)*"$/.test(header) ? header.slice(1, -1).replace(/\\(.)/g, '$1') : header;
}
