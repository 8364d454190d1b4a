// Events from outside, checked and written down.
import { createHash } from 'node:crypto';
import type { CloudEventInput } from '../domain/cloud-event.js';
import { checkName } from '../domain/ids.js';
import { eventTopic } from '../domain/topic.js';
import { toReceivedEvent } from '../engine/event-input.js';
import type { OutgoingParts } from '../engine/outgoing.js';
import { encodePayload } from '../engine/payload.js';
import type { IncomingMessage } from '../ports/message-store.js';

/** A workflow's name and this make an id of at most the longest. */
const longestEnding = 120;

/** @throws InvalidArgumentError, PayloadTooLargeError, PayloadNotSerializableError */
export function toIncomingEvent(input: CloudEventInput, parts: OutgoingParts): IncomingMessage {
  const event = toReceivedEvent(input, parts);
  const { instanceId } = input;
  if (instanceId !== undefined) checkName(instanceId, 'instanceId');
  const { id, type, source } = event;
  const what = `event ${type}`;
  return {
    messageId: id,
    source,
    topic: eventTopic(type),
    data: encodePayload(event, what, parts),
    to: instanceId === undefined ? { type: 'subscribers' } : { type: 'instance', instanceId },
    starts:
      instanceId === undefined ? { input: encodePayload(event.data, what, parts), idEnding: idEnding(`${source}:${id}`) } : null,
  };
}

/** As it is where it is short, so that people can find the instance of an event. */
function idEnding(natural: string): string {
  return natural.length <= longestEnding ? natural : createHash('sha256').update(natural).digest('hex');
}
