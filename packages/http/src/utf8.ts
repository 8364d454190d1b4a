// UTF-8 that must be right.

const strict = new TextDecoder('utf-8', { fatal: true });
const strictWithMark = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Undefined when the bytes are no UTF-8.
 * @param options `keepMark`: a byte order mark at the beginning belongs to the text. Default: it is left out.
 */
export function decodeUtf8(bytes: Uint8Array, options: { readonly keepMark?: boolean } = {}): string | undefined {
  try {
    return (options.keepMark === true ? strictWithMark : strict).decode(bytes);
  } catch {
    return undefined;
  }
}
