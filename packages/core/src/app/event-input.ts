// Events from outside, checked and written down.
import type { CloudEventInput, ReceivedEvent } from '../domain/cloud-event.js';
import { InvalidArgumentError } from '../domain/errors.js';
import { checkName } from '../domain/ids.js';
import { encodePayload } from '../engine/payload.js';
import type { Clock } from '../ports/clock.js';
import type { Codec } from '../ports/codec.js';
import type { Entropy } from '../ports/entropy.js';
import type { NewEvent } from '../ports/instance-store.js';

/** @throws InvalidArgumentError, PayloadTooLargeError, PayloadNotSerializableError */
export function toEvent(
  input: CloudEventInput,
  parts: { readonly codec: Codec; readonly clock: Clock; readonly entropy: Entropy; readonly maxPayloadBytes: number },
): NewEvent {
  checkName(input.type, 'event type');
  checkName(input.source, 'event source');
  if (input.id !== undefined) checkName(input.id, 'event id');
  if (input.instanceId !== undefined) checkName(input.instanceId, 'instanceId');
  const time = input.time === undefined ? new Date(parts.clock.now()) : new Date(input.time);
  if (Number.isNaN(time.getTime())) {
    throw new InvalidArgumentError(
      `event time is ${String(input.time)}; it takes a Date or a timestamp such as 2026-01-31T12:00:00Z`,
      {
        argument: 'time',
      },
    );
  }
  const eventId = input.id ?? parts.entropy.uuid();
  const event: ReceivedEvent = {
    id: eventId,
    type: input.type,
    source: input.source,
    subject: input.subject,
    time,
    extensions: { ...input.extensions },
    data: input.data,
  };
  return {
    eventId,
    source: input.source,
    channel: input.type,
    data: encodePayload(event, `event ${input.type}`, parts),
    targetInstanceId: input.instanceId ?? null,
  };
}
