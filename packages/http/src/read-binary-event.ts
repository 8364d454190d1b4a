// Binary mode: attributes in `ce-` headers, the data in the body (HTTP protocol binding 1.0.2, section 3.1).
import type { CloudEventInput } from '@romancy/core';
import { decodeHeaderValue } from './header-value.js';
import { parseMediaType } from './media-type.js';
import { dataOf } from './read-data.js';
import { checkAttributes, invalid, toEventInput } from './received-event.js';

const prefix = 'ce-';

/** Whether anything in the headers says that this is an event. */
export function hasEventHeaders(headers: Headers): boolean {
  return [...headers.keys()].some((name) => name.startsWith(prefix));
}

/** @throws HttpFailure */
export function readBinaryEvent(
  request: { readonly headers: Headers; readonly body: Uint8Array },
  instanceId: string | undefined,
): CloudEventInput {
  const { headers, body } = request;
  const given: [string, unknown][] = [];
  for (const [header, value] of headers) {
    if (!header.startsWith(prefix)) continue;
    const name = header.slice(prefix.length);
    if (name === 'datacontenttype') throw invalid('datacontenttype is given by Content-Type, not by a header of its own');
    const decoded = decodeHeaderValue(value);
    if (decoded === undefined) throw invalid(`the bytes of ${name.slice(0, 80)} are no UTF-8`);
    given.push([name, decoded]);
  }
  const contentType = headers.get('content-type');
  if (contentType !== null) given.push(['datacontenttype', contentType]);
  const attributes = checkAttributes(given);
  return toEventInput(attributes, body.byteLength === 0 ? undefined : dataOf(body, parseMediaType(contentType)), instanceId);
}
