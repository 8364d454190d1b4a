// Bytes as Base64 (RFC 4648, section 4) and back, by what every runtime has.

/** Many calls of fromCharCode for one long array would each be a string; one call with all of it would overflow the stack. */
const sliceBytes = 0x8000;

export function encodeBase64(bytes: Uint8Array): string {
  let binary = '';
  for (let start = 0; start < bytes.length; start += sliceBytes) {
    binary += String.fromCharCode(...bytes.subarray(start, start + sliceBytes));
  }
  return btoa(binary);
}

/** Undefined when it is no Base64. */
export function decodeBase64(text: string): Uint8Array | undefined {
  // atob overlooks white space and missing padding, which the standard tells decoders not to.
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined;
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let index = 0; index < binary.length; index++) bytes[index] = binary.charCodeAt(index);
  return bytes;
}
