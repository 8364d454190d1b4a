// Writes an event as a request: the HTTP protocol binding of CloudEvents 1.0.2, structured and binary.
import { coreAttributes, isAttributeInteger, isAttributeName, isAttributeText } from './attribute-rules.js';
import { encodeBase64 } from './base64.js';
import { EventSendError } from './event-send-error.js';
import { encodeHeaderValue } from './header-value.js';
import { isJsonType, isTextType, isUtf8, parseMediaType } from './media-type.js';
import type { OutgoingEvent } from './outgoing-event.js';
import { parseTimestamp } from './timestamp.js';

export interface EncodedEvent {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | null;
}

/** How the data travels; undefined: there is none. */
type Data =
  { readonly as: 'json' | 'text'; readonly text: string } | { readonly as: 'bytes'; readonly bytes: Uint8Array } | undefined;

/** @throws EventSendError, not retryable, when it cannot be an event of CloudEvents. */
export function encodeEvent(event: OutgoingEvent, mode: 'structured' | 'binary'): EncodedEvent {
  const data = dataOf(event);
  const attributes = attributesOf(event, data);
  return mode === 'structured' ? structured(attributes, data) : binary(attributes, data);
}

function structured(attributes: ReadonlyMap<string, string | number | boolean>, data: Data): EncodedEvent {
  const members = [...attributes].map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
  if (data?.as === 'json') members.push(`"data":${data.text}`);
  if (data?.as === 'text') members.push(`"data":${JSON.stringify(data.text)}`);
  if (data?.as === 'bytes') members.push(`"data_base64":"${encodeBase64(data.bytes)}"`);
  return { headers: { 'content-type': 'application/cloudevents+json; charset=utf-8' }, body: `{${members.join(',')}}` };
}

function binary(attributes: ReadonlyMap<string, string | number | boolean>, data: Data): EncodedEvent {
  const headers: Record<string, string> = {};
  for (const [name, value] of attributes) {
    if (name !== 'datacontenttype') headers[`ce-${name}`] = encodeHeaderValue(String(value));
  }
  const contentType = attributes.get('datacontenttype');
  if (contentType !== undefined) headers['content-type'] = String(contentType);
  else if (data?.as === 'json') headers['content-type'] = 'application/json';
  return { headers, body: data === undefined ? null : data.as === 'bytes' ? data.bytes : data.text };
}

function attributesOf(event: OutgoingEvent, data: Data): ReadonlyMap<string, string | number | boolean> {
  const attributes = new Map<string, string | number | boolean>([['specversion', '1.0']]);
  for (const name of ['id', 'source', 'type'] as const) attributes.set(name, text(name, event[name]));
  if (event.subject !== undefined) attributes.set('subject', text('subject', event.subject));
  if (event.time !== undefined) attributes.set('time', timestamp(event.time));
  const datacontenttype = contentTypeOf(event);
  // In JSON, no content type means JSON; said in so many words it means the same to everybody.
  if (datacontenttype !== undefined) attributes.set('datacontenttype', text('datacontenttype', datacontenttype));
  else if (data?.as === 'json') attributes.set('datacontenttype', 'application/json');
  for (const [name, value] of Object.entries(event.extensions ?? {})) {
    if (value === undefined || value === null || name === 'datacontenttype') continue;
    attributes.set(extensionName(name), extensionValue(name, value));
  }
  return attributes;
}

/** An event that was received has it among its extensions, and may be handed on as it is. */
function contentTypeOf({ datacontenttype, extensions }: OutgoingEvent): string | undefined {
  return datacontenttype ?? (extensions?.['datacontenttype'] as string | null | undefined) ?? undefined;
}

function dataOf(event: OutgoingEvent): Data {
  const { data } = event;
  const datacontenttype = contentTypeOf(event);
  const type = datacontenttype === undefined ? undefined : parseMediaType(datacontenttype);
  if (datacontenttype !== undefined && (type === undefined || !/^[\x20-\x7e]+$/.test(datacontenttype))) {
    throw invalid('datacontenttype', 'is no media type');
  }
  if (data === undefined) return undefined;
  if (data instanceof Uint8Array) return { as: 'bytes', bytes: data };
  if (data instanceof ArrayBuffer) return { as: 'bytes', bytes: new Uint8Array(data) };
  if (type !== undefined && !isJsonType(type)) {
    if (typeof data !== 'string') throw invalid('data', `is to be a text or bytes, since datacontenttype is ${datacontenttype}`);
    // It is written in UTF-8, and would be read as what it says.
    if (isTextType(type) && !isUtf8(type))
      throw invalid('data', `is a text, and goes as UTF-8; give bytes for ${datacontenttype}`);
    return { as: 'text', text: data };
  }
  return { as: 'json', text: json(data) };
}

function json(data: unknown): string {
  let written: unknown;
  try {
    written = JSON.stringify(data);
  } catch (cause) {
    throw invalid('data', 'cannot be written as JSON', cause);
  }
  if (typeof written !== 'string') throw invalid('data', 'cannot be written as JSON');
  return written;
}

function text(name: string, value: unknown): string {
  if (typeof value !== 'string' || value === '') throw invalid(name, 'is to be a text that is not empty');
  if (!isAttributeText(value)) throw invalid(name, 'has characters that no attribute can have');
  return value;
}

function timestamp(time: unknown): string {
  if (typeof time === 'string' && parseTimestamp(time) !== undefined) return time;
  const date = time instanceof Date ? time : new Date(typeof time === 'string' ? time : Number.NaN);
  const year = date.getUTCFullYear();
  if (!(year >= 0 && year <= 9999)) throw invalid('time', 'is no time of the years 0 to 9999');
  return date.toISOString();
}

function extensionName(name: string): string {
  if (isAttributeName(name) && (!coreAttributes.has(name) || name === 'dataschema')) return name;
  throw invalid(`extension ${JSON.stringify(name.slice(0, 80))}`, 'has a name that no extension can have');
}

function extensionValue(name: string, value: unknown): string | number | boolean {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number') return isAttributeInteger(value) ? value : String(value);
  if (typeof value !== 'string') throw invalid(`extension ${name}`, 'is to be a text, a number or a boolean');
  if (!isAttributeText(value)) throw invalid(`extension ${name}`, 'has characters that no attribute can have');
  return value;
}

function invalid(what: string, problem: string, cause?: unknown): EventSendError {
  const fields = cause === undefined ? {} : { cause };
  return new EventSendError(`the event cannot be sent: ${what} ${problem}`, { retryable: false, ...fields });
}
