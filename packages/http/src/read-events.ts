// Which mode of CloudEvents a request is in, and the events that it brings.
import type { CloudEventInput } from '@romancy/core';
import { HttpFailure } from './http-failure.js';
import { isUtf8, parseMediaType } from './media-type.js';
import { hasEventHeaders, readBinaryEvent } from './read-binary-event.js';
import { parseJson } from './read-data.js';
import { readJsonEvent } from './read-json-event.js';
import { invalid } from './received-event.js';

export type ContentMode = 'structured' | 'binary' | 'batched';

/** @throws HttpFailure for what is no event, or in a format that is not understood. */
export function contentModeOf(headers: Headers): ContentMode {
  const contentType = headers.get('content-type');
  const type = parseMediaType(contentType);
  if (!/^\s*application\/cloudevents/i.test(contentType ?? '')) {
    if (hasEventHeaders(headers)) return 'binary';
    throw unsupported('this is no CloudEvent: its Content-Type is none of theirs, and it has no ce- headers');
  }
  const mode = { 'application/cloudevents+json': 'structured', 'application/cloudevents-batch+json': 'batched' } as const;
  if (type === undefined || !Object.hasOwn(mode, type.essence))
    throw unsupported('of the formats of CloudEvents, only JSON is taken');
  if (!isUtf8(type)) throw unsupported('the JSON format of CloudEvents is UTF-8');
  return mode[type.essence as keyof typeof mode];
}

/** @throws HttpFailure when one of them is no event. */
export function readEvents(
  request: { readonly mode: ContentMode; readonly headers: Headers; readonly body: Uint8Array },
  limits: { readonly instanceId: string | undefined; readonly maxBatchEvents: number },
): readonly CloudEventInput[] {
  const { instanceId, maxBatchEvents } = limits;
  if (request.mode === 'binary') return [readBinaryEvent(request, instanceId)];
  const given = parseJson(request.body, 'the body');
  if (request.mode === 'structured') return [readJsonEvent(given, instanceId)];
  if (!Array.isArray(given)) throw invalid('a batch is a JSON array');
  if (given.length > maxBatchEvents) {
    throw new HttpFailure('PAYLOAD_TOO_LARGE', `a batch has at most ${maxBatchEvents} events; this one has ${given.length}`);
  }
  return given.map((event, index) => {
    try {
      return readJsonEvent(event, instanceId);
    } catch (error) {
      if (error instanceof HttpFailure) throw new HttpFailure(error.type, `event ${index}: ${error.message}`);
      throw error;
    }
  });
}

function unsupported(message: string): HttpFailure {
  return new HttpFailure('UNSUPPORTED_MEDIA_TYPE', message);
}
