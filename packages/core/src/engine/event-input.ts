// Events as users give them, checked.
import type { OutboxEventInput } from '../authoring/messaging.js';
import type { CloudEventInput, ReceivedEvent } from '../domain/cloud-event.js';
import { InvalidArgumentError } from '../domain/errors.js';
import { checkName } from '../domain/ids.js';
import { namesOf } from '../domain/known-options.js';
import type { Clock } from '../ports/clock.js';
import type { Entropy } from '../ports/entropy.js';

const members = namesOf<CloudEventInput>({
  id: true,
  type: true,
  source: true,
  subject: true,
  time: true,
  data: true,
  specversion: true,
  datacontenttype: true,
  dataschema: true,
  extensions: true,
  instanceId: true,
});
const attributeName = /^[a-z0-9]+$/;
/** Attributes that stand for themselves and can be no extension. */
const ownAttributes: ReadonlySet<string> = new Set(['id', 'type', 'source', 'subject', 'time', 'data', 'specversion']);

/**
 * The event with what it did not say: an id, a time.
 * @throws InvalidArgumentError
 */
export function toReceivedEvent(
  input: OutboxEventInput,
  parts: { readonly clock: Clock; readonly entropy: Entropy },
): ReceivedEvent {
  if (typeof input !== 'object' || input === null) throw refused('event', input, `an object such as { type, source, data }`);
  checkMembers(input);
  checkName(input.type, 'event type');
  checkName(input.source, 'event source');
  if (input.id !== undefined) checkName(input.id, 'event id');
  if (input.subject !== undefined && typeof input.subject !== 'string') throw refused('subject', input.subject, 'a text');
  if (input.specversion !== undefined && input.specversion !== '1.0') throw refused('specversion', input.specversion, `'1.0'`);
  checkExtensions(input.extensions);
  // Not everything that Date takes: null would be 1970.
  const time = input.time === undefined ? new Date(parts.clock.now()) : new Date(input.time ?? Number.NaN);
  if (Number.isNaN(time.getTime())) throw refused('time', input.time, 'a Date or a timestamp such as 2026-01-31T12:00:00Z');
  return {
    id: input.id ?? parts.entropy.uuid(),
    type: input.type,
    source: input.source,
    subject: input.subject,
    time,
    extensions: extensionsOf(input),
    data: input.data,
  };
}

/**
 * The extensions, with what is said of the data, which is for whoever made this event: where it is one that was received, that one's stands among the
 * extensions. That data is JSON says nothing that the data does not.
 */
function extensionsOf({
  datacontenttype,
  dataschema,
  extensions,
}: OutboxEventInput): Readonly<Record<string, string | number | boolean>> {
  const all: Record<string, string | number | boolean> = { ...extensions };
  for (const [name, value] of Object.entries({ datacontenttype, dataschema })) {
    if (value === undefined) continue;
    if (typeof value !== 'string' || value === '') throw refused(name, value, 'a text');
    if (name === 'datacontenttype' && /^application\/json\s*(;|$)/i.test(value)) delete all[name];
    else all[name] = value;
  }
  return all;
}

/** What nobody reads would be lost without a word: a misspelt `data`, or the extension attributes of an event as it came over the wire. */
function checkMembers(input: object): void {
  const unknown = Object.entries(input).find(([name, value]) => !members.has(name) && value !== undefined)?.[0];
  if (unknown === undefined) return;
  throw new InvalidArgumentError(
    `event has a member ${JSON.stringify(unknown)} that nobody reads; there are ${[...members].join(', ')}, and attributes of other names belong into extensions`,
    { argument: unknown },
  );
}

function checkExtensions(extensions: unknown): void {
  if (extensions === undefined) return;
  if (typeof extensions !== 'object' || extensions === null || Array.isArray(extensions)) {
    throw refused('extensions', extensions, `an object such as { partition: 3 }`);
  }
  for (const [name, value] of Object.entries(extensions)) {
    if (!attributeName.test(name) || ownAttributes.has(name)) {
      throw new InvalidArgumentError(
        `event extensions.${name} can be no extension attribute; their names have a to z and 0 to 9 only, and none is that of an attribute of every event`,
        { argument: `extensions.${name}` },
      );
    }
    if (!['string', 'number', 'boolean'].includes(typeof value)) {
      throw refused(`extensions.${name}`, value, 'a text, a number or a boolean');
    }
  }
}

function refused(argument: string, value: unknown, allowed: string): InvalidArgumentError {
  const shown = typeof value === 'string' ? JSON.stringify(value) : value === null ? 'null' : typeof value;
  const what = argument === 'event' ? argument : `event ${argument}`;
  return new InvalidArgumentError(`${what} is ${shown}; it takes ${allowed}`, { argument });
}
