// An event as it came over the wire, checked; and what an app is told of it.
import type { CloudEventInput } from '@romancy/core';
import {
  coreAttributes,
  instanceAttribute,
  isAttributeInteger,
  isAttributeName,
  isAttributeText,
  longestName,
  requiredAttributes,
} from './attribute-rules.js';
import { HttpFailure } from './http-failure.js';
import { parseMediaType } from './media-type.js';
import { parseTimestamp } from './timestamp.js';

/** The attributes of an event by name, those that are null left out, each checked. */
export type Attributes = ReadonlyMap<string, string | number | boolean>;

/** @throws HttpFailure for what is no event of CloudEvents 1.0. */
export function checkAttributes(given: Iterable<readonly [string, unknown]>): Attributes {
  const attributes = new Map<string, string | number | boolean>();
  for (const [name, value] of given) {
    if (!isAttributeName(name) || name === 'data') {
      throw invalid(
        `${JSON.stringify(name.slice(0, 80))} can be no attribute; their names have a to z and 0 to 9 only, and none is "data"`,
      );
    }
    if (value === null || value === undefined) continue;
    attributes.set(name, checkedValue(name, value));
  }
  if (attributes.get('specversion') !== '1.0') {
    throw invalid(`specversion is ${shown(attributes.get('specversion'))}; only 1.0 is understood`);
  }
  for (const name of requiredAttributes) {
    const value = attributes.get(name);
    if (value === undefined) throw invalid(`${name} is missing`);
    if ((value as string).length > longestName) throw invalid(`${name} is longer than ${longestName} characters`);
  }
  return attributes;
}

/**
 * @param data undefined: the event has none.
 * @param instanceId the one that the route names.
 * @throws HttpFailure when the event itself names another instance.
 */
export function toEventInput(attributes: Attributes, data: unknown, instanceId: string | undefined): CloudEventInput {
  const text = (name: string): string | undefined => attributes.get(name) as string | undefined;
  const time = text('time');
  const subject = text('subject');
  const target = text(instanceAttribute);
  if (instanceId !== undefined && target !== undefined && target !== instanceId) {
    throw invalid(`${instanceAttribute} is ${shown(target)}, and the address is that of ${shown(instanceId)}`);
  }
  const one = instanceId ?? target;
  return {
    id: text('id')!,
    source: text('source')!,
    type: text('type')!,
    ...(subject === undefined ? {} : { subject }),
    ...(time === undefined ? {} : { time: parseTimestamp(time)! }),
    ...(data === undefined ? {} : { data }),
    extensions: extensionsOf(attributes),
    ...(one === undefined ? {} : { instanceId: one }),
  };
}

/** The content type of plain JSON says nothing that the data does not; any other one, and the schema, are kept beside the extensions. */
function extensionsOf(attributes: Attributes): Readonly<Record<string, string | number | boolean>> {
  const extensions: Record<string, string | number | boolean> = {};
  for (const [name, value] of attributes) {
    const isKept =
      name === 'dataschema' || (name === 'datacontenttype' && parseMediaType(value as string)?.essence !== 'application/json');
    if (isKept || (!coreAttributes.has(name) && name !== instanceAttribute)) extensions[name] = value;
  }
  return extensions;
}

function checkedValue(name: string, value: unknown): string | number | boolean {
  const mustBeText = coreAttributes.has(name) || name === instanceAttribute;
  if (typeof value === 'string') {
    if (!isAttributeText(value)) throw invalid(`${name} has characters that no attribute can have`);
    if (mustBeText && value === '') throw invalid(`${name} is empty`);
    if (name === 'time' && parseTimestamp(value) === undefined)
      throw invalid(`time is ${shown(value)}; it takes a timestamp of RFC 3339`);
    if (name === 'datacontenttype' && parseMediaType(value) === undefined)
      throw invalid(`datacontenttype is ${shown(value)}; it takes a media type`);
    if (name === instanceAttribute && value.length > longestName)
      throw invalid(`${name} is longer than ${longestName} characters`);
    return value;
  }
  if (!mustBeText && (typeof value === 'boolean' || (typeof value === 'number' && isAttributeInteger(value)))) return value;
  throw invalid(`${name} is ${shown(value)}; it takes a text${mustBeText ? '' : ', a boolean, or an integer of 32 bits'}`);
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return value === undefined ? 'missing' : Array.isArray(value) ? 'a list' : 'an object';
}

export function invalid(message: string): HttpFailure {
  return new HttpFailure('INVALID_EVENT', message);
}
