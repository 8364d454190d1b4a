// Structured and batched mode: events in the JSON format of CloudEvents 1.0.2.
import type { CloudEventInput } from '@romancy/core';
import { decodeBase64 } from './base64.js';
import { isJsonType, parseMediaType } from './media-type.js';
import { dataOf } from './read-data.js';
import { checkAttributes, invalid, toEventInput, type Attributes } from './received-event.js';

/** @throws HttpFailure */
export function readJsonEvent(given: unknown, instanceId: string | undefined): CloudEventInput {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) throw invalid('an event is a JSON object');
  const { data, data_base64: base64, ...rest } = given as Readonly<Record<string, unknown>>;
  const attributes = checkAttributes(Object.entries(rest));
  return toEventInput(attributes, dataMember(attributes, data, base64), instanceId);
}

/** A member `data` that is null is a value; a `data_base64` that is null is none. */
function dataMember(attributes: Attributes, data: unknown, base64: unknown): unknown {
  const contentType = attributes.get('datacontenttype') as string | undefined;
  const type = parseMediaType(contentType);
  if (base64 !== undefined && base64 !== null) {
    if (data !== undefined) throw invalid('data and data_base64 exclude each other');
    const bytes = typeof base64 === 'string' ? decodeBase64(base64) : undefined;
    if (bytes === undefined) throw invalid('data_base64 is no Base64');
    return dataOf(bytes, type);
  }
  const isJson = type === undefined || isJsonType(type);
  if (data === undefined || isJson || typeof data === 'string') return data;
  // Nothing is what null can mean where it is no JSON value.
  if (data === null) return undefined;
  throw invalid(`data is to be a text, since datacontenttype is ${contentType}`);
}
