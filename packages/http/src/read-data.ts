// What the data of an event is, by its content type: a JSON value, a text, or bytes.
import { isJsonType, isTextType, isUtf8, type MediaType } from './media-type.js';
import { invalid } from './received-event.js';
import { decodeUtf8 } from './utf8.js';

/**
 * @param type undefined: nothing was said, and nothing is assumed.
 * @throws HttpFailure when the bytes are not what the type says.
 */
export function dataOf(bytes: Uint8Array, type: MediaType | undefined): unknown {
  if (type !== undefined && isJsonType(type)) {
    if (!isUtf8(type)) throw invalid(`data is JSON in ${type.charset}; JSON is UTF-8`);
    return parseJson(bytes, 'data');
  }
  if (type !== undefined && isTextType(type)) return textOf(bytes, type);
  return bytes;
}

/** @throws HttpFailure when it is no JSON in UTF-8. */
export function parseJson(bytes: Uint8Array, what: string): unknown {
  const text = decodeUtf8(bytes);
  if (text === undefined) throw invalid(`${what} is no UTF-8`);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // The parser's own message repeats what was sent.
    throw invalid(`${what} is no JSON`);
  }
}

function textOf(bytes: Uint8Array, type: MediaType): string {
  if (isUtf8(type)) {
    const text = decodeUtf8(bytes);
    if (text === undefined) throw invalid('data is no UTF-8');
    return text;
  }
  try {
    return new TextDecoder(type.charset, { fatal: true }).decode(bytes);
  } catch {
    throw invalid(`data cannot be read as text in ${JSON.stringify(type.charset)}`);
  }
}
