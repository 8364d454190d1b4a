// Requests as senders make them.

type Body = string | Uint8Array | ReadableStream<Uint8Array> | null;

export const plainEvent = { specversion: '1.0', id: 'e-1', source: '/tests', type: 'thing.happened' };

/** An event in structured mode. @param event replaces or adds members of {@link plainEvent}. */
export function structured(event: Readonly<Record<string, unknown>> = {}, path = '/events'): Request {
  return post(path, JSON.stringify({ ...plainEvent, ...event }), { 'content-type': 'application/cloudevents+json' });
}

export function batched(events: readonly unknown[], path = '/events'): Request {
  return post(path, JSON.stringify(events), { 'content-type': 'application/cloudevents-batch+json' });
}

/** @param headers replaces or adds headers; one that is undefined is left out. */
export function binary(body: Body, headers: Readonly<Record<string, string | undefined>> = {}, path = '/events'): Request {
  const all = { 'ce-specversion': '1.0', 'ce-id': 'e-1', 'ce-source': '/tests', 'ce-type': 'thing.happened', ...headers };
  const given = Object.entries(all).filter((header): header is [string, string] => header[1] !== undefined);
  return post(path, body, Object.fromEntries(given));
}

export function post(path: string, body: Body, headers: Readonly<Record<string, string>> = {}): Request {
  // A text would bring a content type of its own.
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
  return new Request(`http://test${path}`, { method: 'POST', headers, body: bytes, duplex: 'half' });
}

/** A body that comes in these parts, and a count of those that were asked for. */
export function streamed(parts: Iterable<Uint8Array>): {
  readonly body: ReadableStream<Uint8Array>;
  readonly taken: () => number;
} {
  let taken = 0;
  const iterator = parts[Symbol.iterator]();
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const { done, value } = iterator.next();
        if (done === true) controller.close();
        else {
          taken++;
          controller.enqueue(value);
        }
      },
    },
    { highWaterMark: 0 },
  );
  return { body, taken: () => taken };
}
