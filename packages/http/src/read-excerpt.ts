// The beginning of what an answer says, for the message of an error.

const mostBytes = 1024;

/** One line, or nothing when it cannot be read. The rest of the body is not waited for. */
export async function readExcerpt(response: Response): Promise<string> {
  if (response.body === null) return '';
  const reader = response.body.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  try {
    while (bytes < mostBytes) {
      const { done, value } = await reader.read();
      if (done) break;
      const part = value.subarray(0, mostBytes - bytes);
      bytes += part.byteLength;
      text += decoder.decode(part, { stream: true });
    }
  } catch {
    // What was read so far will do.
  }
  void reader.cancel().catch(() => undefined);
  return text.replace(/[\p{Cc}\s]+/gu, ' ').trim();
}
