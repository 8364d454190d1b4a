// Events as users give them, checked.
import type { OutboxEventInput } from '../authoring/messaging.js';
import type { ReceivedEvent } from '../domain/cloud-event.js';
import { InvalidArgumentError } from '../domain/errors.js';
import { checkName } from '../domain/ids.js';
import type { Clock } from '../ports/clock.js';
import type { Entropy } from '../ports/entropy.js';

/**
 * The event with what it did not say: an id, a time.
 * @throws InvalidArgumentError
 */
export function toReceivedEvent(
  input: OutboxEventInput,
  parts: { readonly clock: Clock; readonly entropy: Entropy },
): ReceivedEvent {
  if (typeof input !== 'object' || input === null) throw refused('event', input, `an object such as { type, source, data }`);
  checkName(input.type, 'event type');
  checkName(input.source, 'event source');
  if (input.id !== undefined) checkName(input.id, 'event id');
  if (input.subject !== undefined && typeof input.subject !== 'string') throw refused('subject', input.subject, 'a text');
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
    extensions: { ...input.extensions },
    data: input.data,
  };
}

function checkExtensions(extensions: unknown): void {
  if (extensions === undefined) return;
  if (typeof extensions !== 'object' || extensions === null || Array.isArray(extensions)) {
    throw refused('extensions', extensions, `an object such as { partition: 3 }`);
  }
  for (const [name, value] of Object.entries(extensions)) {
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
